import { describe, expect, test } from "bun:test";
import { RemoteError, StreamError } from "../../../lib/errors.ts";
import { Flag, Opcode } from "../../../lib/protocol/opcode.ts";
import { BareStream } from "../../support/bare-stream.ts";
import { pattern } from "../../support/bytes.ts";
import { settle } from "../../support/fake-clock.ts";
import { codeOf, protocolFault, rejection, watch } from "../../support/outcomes.ts";

const opener = () => new BareStream({ opener: true });
const responder = () => new BareStream({ opener: false });

/** An opener whose request was accepted. */
function accepted() {
  const bare = opener();
  bare.stream.onAccept({}, false);
  return bare;
}

/** End the body in this direction, and let it leave. */
function endLocal(bare: BareStream) {
  watch(bare.stream.end());
  bare.takeAll();
}

describe("Stream: the answer", () => {
  test("accept() sends ACCEPT with the result", () => {
    const bare = responder();
    bare.stream.accept({ size: 3 });
    expect(bare.control).toEqual([
      { opcode: Opcode.ACCEPT, streamId: 7, payload: Buffer.from('{"size":3}'), flags: 0 },
    ]);
  });

  test("a body before accept() is refused here, and nothing is sent", async () => {
    const bare = responder();
    expect((await rejection(bare.stream.write(pattern(1)))).code).toBe("UNEXPECTED");
    expect((await rejection(bare.stream.end())).code).toBe("UNEXPECTED");
    expect([bare.control.length, bare.takeAll().length]).toEqual([0, 0]);
  });

  test("accept() with end sets the flag END and ends this direction", async () => {
    const bare = responder();
    bare.stream.accept({}, { end: true });
    expect(bare.control[0]?.flags).toBe(Flag.END);
    expect((await rejection(bare.stream.write(pattern(1)))).code).toBe("UNEXPECTED");
    bare.stream.onEnd({});
    expect(bare.closed).toBe(0); // the session may close with its last stream, and ACCEPT has not left
    bare.controlLeaves();
    expect(bare.closed).toBe(1);
  });

  test("accepted resolves with the result of the peer's ACCEPT", async () => {
    const bare = opener();
    bare.stream.onAccept({ size: 3 }, false);
    expect(await bare.stream.accepted).toEqual({ size: 3 });
  });

  test("an ACCEPT with end ends the peer's direction", async () => {
    const bare = opener();
    bare.stream.onAccept({}, true);
    expect(await bare.stream.read()).toBeUndefined();
    expect(bare.closed).toBe(0);
    endLocal(bare);
    expect(bare.closed).toBe(1);
  });

  test("accept() or end() with more than a frame holds fails, and sends nothing", async () => {
    const bare = responder();
    const result = { text: "x".repeat(65_536) };
    expect(() => bare.stream.accept(result)).toThrow(expect.objectContaining({ code: "INTERNAL" }));
    expect((await rejection(bare.stream.end(result))).code).toBe("INTERNAL");
    expect([bare.control, bare.takeAll()]).toEqual([[], []]);
  });

  test("a second ACCEPT is UNEXPECTED_FRAME", () => {
    expect(protocolFault(() => accepted().stream.onAccept({}, false))).toBe("UNEXPECTED_FRAME");
  });

  test("an ACCEPT from the opener is UNEXPECTED_FRAME", () => {
    expect(protocolFault(() => responder().stream.onAccept({}, false))).toBe("UNEXPECTED_FRAME");
  });

  test("DATA or END before ACCEPT is UNEXPECTED_FRAME from the responder only", () => {
    expect(protocolFault(() => opener().stream.onData(pattern(1)))).toBe("UNEXPECTED_FRAME");
    expect(protocolFault(() => opener().stream.onEnd({}))).toBe("UNEXPECTED_FRAME");
    expect(protocolFault(() => responder().stream.onData(pattern(1)))).toBeUndefined();
    expect(protocolFault(() => responder().stream.onEnd({}))).toBeUndefined();
  });
});

describe("Stream: the ends of its directions", () => {
  const ways: [string, () => BareStream, (bare: BareStream) => void][] = [
    ["END", accepted, (bare) => bare.stream.onEnd({})],
    ["ACCEPT with end", opener, (bare) => bare.stream.onAccept({}, true)],
    ["OPEN with end", responder, (bare) => bare.stream.onOpenEnd()],
  ];
  test.each(ways)("DATA or END behind the peer's %s is UNEXPECTED_FRAME", (_what, make, end) => {
    const bare = make();
    end(bare);
    expect(protocolFault(() => bare.stream.onData(pattern(1)))).toBe("UNEXPECTED_FRAME");
    expect(protocolFault(() => bare.stream.onEnd({}))).toBe("UNEXPECTED_FRAME");
  });

  test.each([
    ["first here, then there", [endLocal, (bare: BareStream) => bare.stream.onEnd({})]],
    ["first there, then here", [(bare: BareStream) => bare.stream.onEnd({}), endLocal]],
  ])("it closes, once, when both have ended: %s", async (_order, [first, second]) => {
    const bare = accepted();
    const closed = watch(bare.stream.closed);
    first?.(bare);
    await settle();
    expect([bare.closed, closed.state, bare.stream.isClosed]).toEqual([0, "pending", false]);
    second?.(bare);
    await settle();
    expect([bare.closed, closed.state, bare.stream.isClosed]).toEqual([1, "resolved", true]);
  });

  test("it does not close before its END has left", () => {
    const bare = accepted();
    bare.stream.onEnd({});
    watch(bare.stream.end());
    expect(bare.closed).toBe(0);
    const frame = bare.takeOne();
    expect(bare.closed).toBe(0);
    frame?.onSent?.();
    expect(bare.closed).toBe(1);
  });

  test.each([
    ["write()", (bare: BareStream) => bare.stream.write(pattern(1))],
    ["end()", (bare: BareStream) => bare.stream.end()],
  ])("%s after end() is rejected, and nothing more is sent", async (_what, action) => {
    const bare = accepted();
    watch(bare.stream.end());
    expect((await rejection(action(bare))).code).toBe("UNEXPECTED");
    expect(bare.takeAll().map(({ opcode }) => opcode)).toEqual([Opcode.END]);
    expect((await rejection(action(bare))).code).toBe("UNEXPECTED");
    expect(bare.takeAll()).toEqual([]);
  });

  test("endWithOpen() ends this direction", async () => {
    const bare = opener();
    bare.stream.endWithOpen();
    expect((await rejection(bare.stream.end())).code).toBe("UNEXPECTED");
    bare.stream.onAccept({}, true);
    expect(bare.closed).toBe(1);
  });

  test("what was received before the close can still be read", async () => {
    const bare = accepted();
    bare.stream.onData(pattern(3));
    endLocal(bare);
    bare.stream.onEnd({ sum: 1 });
    expect(bare.closed).toBe(1);
    expect(await bare.stream.read()).toEqual(pattern(3));
    expect(await bare.stream.read()).toBeUndefined();
    expect(bare.stream.trailer).toEqual({ sum: 1 });
  });
});

describe("Stream.reset()", () => {
  test("sends RESET and fails everything on this side", async () => {
    const bare = opener();
    const outcomes = [watch(bare.stream.accepted), watch(bare.stream.write(pattern(5)))];
    bare.stream.reset("CANCELLED", "no more");
    await settle();
    expect(bare.control.map(({ opcode, payload }) => [opcode, JSON.parse(payload.toString())])).toEqual([
      [Opcode.RESET, { code: 38, message: "no more" }],
    ]);
    expect(outcomes.map(codeOf)).toEqual(["CANCELLED", "CANCELLED"]);
    expect(await rejection(bare.stream.read())).toBeInstanceOf(StreamError);
    expect([bare.closed, bare.round.size]).toEqual([1, 0]);
  });

  test("has no effect a second time, nor on a stream that has ended", () => {
    const bare = accepted();
    bare.stream.reset("CANCELLED", "once");
    bare.stream.reset("CANCELLED", "twice");
    expect([bare.names, bare.closed]).toEqual([["RESET"], 1]);

    const ended = accepted();
    endLocal(ended);
    ended.stream.onEnd({});
    ended.stream.reset("CANCELLED", "late");
    expect([ended.names, ended.closed]).toEqual([[], 1]);
  });
});

describe("Stream.fail()", () => {
  const gone = new RemoteError("NOT_FOUND", "gone");

  test("fails what waits and what comes later, without a word to the peer", async () => {
    const bare = opener();
    const outcomes = [watch(bare.stream.accepted), watch(bare.stream.write(pattern(5))), watch(bare.stream.end())];
    const read = watch(bare.stream.read());
    bare.stream.fail(gone);
    await settle();
    const later = [watch(bare.stream.write(pattern(1))), watch(bare.stream.end()), watch(bare.stream.read())];
    await settle();
    expect([...outcomes, read, ...later].map(({ error }) => error)).toEqual(Array(7).fill(gone));
    expect([bare.control, bare.closed]).toEqual([[], 1]);
    expect(() => bare.stream.accept({})).toThrow("gone");
  });

  test("drops what was received and not read", async () => {
    const bare = accepted();
    bare.stream.onData(pattern(3));
    bare.stream.fail(gone);
    expect(await rejection(bare.stream.read())).toBe(gone);
  });

  test("but keeps it when the link was lost: it need not be sent again", async () => {
    const bare = accepted();
    bare.stream.onData(pattern(3));
    bare.stream.fail(gone, true);
    expect(await bare.stream.read()).toEqual(pattern(3));
    expect(await rejection(bare.stream.read())).toBe(gone);
  });

  test("and drops it at the responder, unless that has begun with it", async () => {
    for (const isKept of [false, true]) {
      const bare = new BareStream({ opener: false });
      bare.stream.onData(pattern(3));
      if (isKept) bare.stream.keepArrived();
      bare.stream.fail(gone, true);
      if (isKept) expect(await bare.stream.read()).toEqual(pattern(3));
      expect(await rejection(bare.stream.read())).toBe(gone);
    }
  });

  test.each([
    ["an end", endLocal],
    ["fail()", (bare: BareStream) => bare.stream.fail(gone)],
    ["reset()", (bare: BareStream) => bare.stream.reset("CANCELLED", "")],
  ])("aborts the signal of the stream: %s", (what, end) => {
    for (const isAskedBefore of [true, false]) {
      const bare = accepted();
      if (isAskedBefore) expect(bare.stream.signal.aborted).toBeFalse();
      if (what === "an end") bare.stream.onEnd({});
      end(bare);
      expect(bare.stream.signal.aborted).toBeTrue();
    }
  });

  test("after which nobody need wait for accepted, which rejects", async () => {
    const bare = opener();
    bare.stream.fail(gone);
    await settle();
    expect(await rejection(bare.stream.accepted)).toBe(gone);
    await bare.stream.closed;
  });
});
