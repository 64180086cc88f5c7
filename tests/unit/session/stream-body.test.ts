import { describe, expect, test } from "bun:test";
import { RemoteError } from "../../../lib/errors.ts";
import { Opcode } from "../../../lib/protocol/opcode.ts";
import { BareStream } from "../../support/bare-stream.ts";
import { pattern } from "../../support/bytes.ts";
import { settle } from "../../support/fake-clock.ts";
import { protocolFault, rejection, watch } from "../../support/outcomes.ts";

const TURN_BYTES = 262_208;

/** A responder may receive and send without more ado. */
function bareStream(options: { sendCredit?: number; receiveWindow?: number } = {}) {
  const bare = new BareStream({ opener: false, ...options });
  bare.stream.accept({});
  bare.control.length = 0;
  return bare;
}

describe("Stream.write()", () => {
  test("gives DATA in frames of at most 262208 bytes, uncopied", () => {
    const bare = bareStream();
    const bytes = pattern(2 * TURN_BYTES + 5);
    watch(bare.stream.write(bytes));
    const payloads = bare.takeAll().map(({ payload }) => payload);
    expect(payloads.map(({ length }) => length)).toEqual([TURN_BYTES, TURN_BYTES, 5]);
    expect(payloads.every(({ buffer }) => buffer === bytes.buffer)).toBeTrue();
    expect(Buffer.concat(payloads).equals(bytes)).toBeTrue();
  });

  test("resolves when its last byte has left, and not before", async () => {
    const bare = bareStream({ sendCredit: 6 });
    const write = watch(bare.stream.write(pattern(10)));
    bare.takeOne()?.onSent?.();
    await settle();
    expect(write.state).toBe("pending");
    bare.stream.onCredit(4);
    const rest = bare.takeOne();
    await settle();
    expect(write.state).toBe("pending");
    rest?.onSent?.();
    await settle();
    expect(write.state).toBe("resolved");
  });

  test("waits for the peer until its last byte has left, and then for nothing", async () => {
    const bare = bareStream({ sendCredit: 6 });
    const states = () => [bare.stream.isSending, bare.stream.isWaiting];
    expect(states()).toEqual([false, false]);
    watch(bare.stream.write(pattern(6)));
    expect(states()).toEqual([true, true]);
    const frame = bare.takeOne();
    expect(states()).toEqual([true, true]);
    frame?.onSent?.();
    await settle();
    expect(states()).toEqual([false, false]);
  });

  test("of nothing resolves and sends nothing", async () => {
    const bare = bareStream();
    await bare.stream.write(new Uint8Array(0));
    expect([bare.round.size, bare.takeAll().length]).toEqual([0, 0]);
  });

  test("sends no more than the credit, and goes on where it stopped", () => {
    const bare = bareStream({ sendCredit: 3 });
    watch(bare.stream.write(pattern(10)));
    expect(bare.takeAll().map(({ payload }) => payload.length)).toEqual([3]);
    bare.round.clear();
    bare.stream.onCredit(5);
    expect(bare.round.size).toBe(1);
    expect(bare.takeAll().map(({ payload }) => [...payload])).toEqual([[...pattern(10).subarray(3, 8)]]);
    bare.stream.onCredit(100);
    expect(bare.takeAll().map(({ payload }) => [...payload])).toEqual([[...pattern(10).subarray(8)]]);
  });

  test("credit for a stream with nothing to send does not put it in the round", () => {
    const bare = bareStream({ sendCredit: 0 });
    bare.stream.onCredit(5);
    expect(bare.round.size).toBe(0);
  });

  test("keeps the order of several writes, and the end after them, which needs no credit", () => {
    const bare = bareStream({ sendCredit: 6 });
    for (const seed of [1, 2]) watch(bare.stream.write(pattern(3, seed)));
    watch(bare.stream.end({ sum: 9 }));
    const frames = bare.takeAll();
    expect(frames.map(({ opcode }) => opcode)).toEqual([Opcode.DATA, Opcode.DATA, Opcode.END]);
    expect(frames.map(({ payload }) => Buffer.from(payload).toString("latin1"))).toEqual([
      Buffer.from(pattern(3, 1)).toString("latin1"),
      Buffer.from(pattern(3, 2)).toString("latin1"),
      '{"sum":9}',
    ]);
  });

  test("that waits for credit holds the end back", () => {
    const bare = bareStream({ sendCredit: 0 });
    watch(bare.stream.write(pattern(1)));
    watch(bare.stream.end());
    expect(bare.takeAll()).toEqual([]);
    bare.stream.onCredit(1);
    expect(bare.takeAll().map(({ opcode }) => opcode)).toEqual([Opcode.DATA, Opcode.END]);
  });

  test("end() without a trailer has an empty payload", () => {
    const bare = bareStream();
    watch(bare.stream.end());
    expect(bare.takeAll()).toMatchObject([{ opcode: Opcode.END, streamId: 7, payload: new Uint8Array(0) }]);
  });
});

describe("Stream.onCredit()", () => {
  test("rejects a grant of 0 and one above the largest balance as CREDIT_EXCEEDED", () => {
    const { stream } = bareStream({ sendCredit: 1 });
    expect(protocolFault(() => stream.onCredit(0))).toBe("CREDIT_EXCEEDED");
    expect(protocolFault(() => stream.onCredit(0x7fff_ffff))).toBe("CREDIT_EXCEEDED");
  });
});

describe("Stream.read()", () => {
  test("gives pieces in order, waits for the next, and gives undefined at the end", async () => {
    const { stream } = bareStream();
    stream.onData(pattern(5_000, 1));
    stream.onData(pattern(5_000, 2));
    expect(await stream.read()).toEqual(pattern(5_000, 1));
    expect(await stream.read()).toEqual(pattern(5_000, 2));
    const next = watch(stream.read());
    await settle();
    expect(next.state).toBe("pending");
    stream.onData(pattern(1, 3));
    await settle();
    expect(next.value).toEqual(pattern(1, 3));
    const last = watch(stream.read());
    stream.onEnd({});
    await settle();
    expect([last.state, last.value]).toEqual(["resolved", undefined]);
  });

  test("grants credit for a piece again only when the next is requested", async () => {
    const bare = bareStream({ receiveWindow: 10_000 });
    bare.stream.onData(pattern(10_000));
    await bare.stream.read();
    await settle();
    expect(bare.grants).toEqual([]);
    watch(bare.stream.read());
    expect(bare.grants).toEqual([10_000]);
  });

  test("gathers small grants until they are half the window", async () => {
    const bare = bareStream({ receiveWindow: 100 });
    for (let piece = 0; piece < 10; piece++) {
      bare.stream.onData(pattern(10));
      await bare.stream.read();
    }
    watch(bare.stream.read());
    expect(bare.grants).toEqual([50, 50]);
  });

  test("grants nothing when the peer's body has ended", async () => {
    const bare = bareStream({ receiveWindow: 10 });
    bare.stream.onData(pattern(10));
    bare.stream.onEnd({});
    await bare.stream.read();
    expect(await bare.stream.read()).toBeUndefined();
    expect(bare.grants).toEqual([]);
  });

  test("grants nothing when the stream has failed", async () => {
    const bare = bareStream({ receiveWindow: 10 });
    bare.stream.onData(pattern(10));
    await bare.stream.read();
    bare.stream.fail(new RemoteError("CANCELLED", "no more"));
    await rejection(bare.stream.read());
    expect(bare.grants).toEqual([]);
  });

  test("onData() above the window is CREDIT_EXCEEDED, however it is split", async () => {
    const { stream } = bareStream({ receiveWindow: 10 });
    stream.onData(pattern(6));
    stream.onData(pattern(4));
    await stream.read();
    expect(protocolFault(() => stream.onData(pattern(1)))).toBe("CREDIT_EXCEEDED");
  });
});

describe("Stream.body()", () => {
  test("iterates to the end and leaves the stream alone", async () => {
    const bare = bareStream();
    bare.stream.onData(pattern(5_000, 1));
    bare.stream.onData(pattern(5_000, 2));
    bare.stream.onEnd({});
    expect(await Array.fromAsync(bare.stream.body())).toEqual([pattern(5_000, 1), pattern(5_000, 2)]);
    expect(bare.names).toEqual([]);
  });

  test("left early cancels the stream", async () => {
    const bare = bareStream();
    bare.stream.onData(pattern(3));
    for await (const _ of bare.stream.body()) break;
    expect(bare.control.map(({ opcode, payload }) => [opcode, JSON.parse(payload.toString()).code])).toEqual([
      [Opcode.RESET, 38],
    ]);
    expect(bare.closed).toBe(1);
  });

  test("left by an exception cancels the stream and passes the exception on", async () => {
    const bare = bareStream();
    bare.stream.onData(pattern(3));
    const consume = async () => {
      for await (const _ of bare.stream.body()) throw new RangeError("disk full");
    };
    await expect(consume()).rejects.toThrow("disk full");
    expect(bare.names).toEqual(["RESET"]);
  });
});
