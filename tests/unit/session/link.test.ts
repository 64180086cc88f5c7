import { describe, expect, test } from "bun:test";
import type { CommError } from "../../../lib/errors.ts";
import type { Header } from "../../../lib/protocol/header.ts";
import { Opcode } from "../../../lib/protocol/opcode.ts";
import { hold, letGo } from "../../../lib/session/held-buffers.ts";
import { Link, type LinkOptions } from "../../../lib/session/link.ts";
import type { LinkHandler } from "../../../lib/session/link-handler.ts";
import { pattern } from "../../support/bytes.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";
import { FakeTransport } from "../../support/fake-transport.ts";
import { frame, parseFrames } from "../../support/frames.ts";
import { watch } from "../../support/outcomes.ts";

function makeLink(overrides: Partial<LinkHandler> = {}, options: Partial<LinkOptions> = {}) {
  const transport = new FakeTransport();
  const clock = new FakeClock();
  const frames: Header[] = [];
  const faults: CommError[] = [];
  const ends: (Error | undefined)[] = [];
  const handler: LinkHandler = {
    onFrame: (header) => frames.push(header),
    onData: () => {},
    onFault: (error) => faults.push(error),
    onClosed: (error) => ends.push(error),
    ...overrides,
  };
  const link = new Link(transport, { clock, handler, heartbeatMs: 1_000, ...options });
  link.start();
  return { transport, clock, frames, faults, ends, link };
}

/** Bytes arrive. */
const arrive = (transport: FakeTransport, ...parts: Uint8Array[]) => transport.handler?.onBytes(Buffer.concat(parts));
const sent = (transport: FakeTransport) => parseFrames(transport.bytes).frames;

describe("Link: PING and PONG", () => {
  test("answers PING with the same nonce, once the heartbeat runs", async () => {
    const { transport, frames, link } = makeLink();
    link.startHeartbeat();
    const bytes = frame("PING", pattern(8, 3));
    arrive(transport, bytes);
    bytes.fill(0); // the answer is a copy
    await settle();
    expect(sent(transport)).toMatchObject([{ name: "PONG", payload: Buffer.from(pattern(8, 3)) }]);
    expect(frames).toEqual([]);
  });

  test("leaves PING and PONG to the handler before that", async () => {
    const { transport, frames } = makeLink();
    arrive(transport, frame("PING", pattern(8)), frame("PONG", pattern(8)));
    await settle();
    expect(frames.map(({ opcode }) => opcode)).toEqual([Opcode.PING, Opcode.PONG]);
    expect(transport.writes).toEqual([]);
  });

  test("ping() measures the time until the PONG", async () => {
    const { transport, clock, link } = makeLink();
    link.startHeartbeat();
    const ping = watch(link.ping());
    await clock.advance(25);
    arrive(transport, frame("PONG", sent(transport)[0]?.payload));
    await settle();
    expect(ping.value).toBe(25);
  });

  test("any byte is a sign of life, also part of a frame", async () => {
    const { transport, clock, faults, link } = makeLink();
    link.startHeartbeat();
    const bytes = frame("PING", pattern(8));
    for (const byte of bytes.subarray(0, 20)) {
      await clock.advance(900);
      arrive(transport, Buffer.of(byte));
    }
    expect(faults).toEqual([]);
    await clock.advance(4_000);
    expect(faults.map(({ code }) => code)).toEqual(["HEARTBEAT_TIMEOUT"]);
  });
});

describe("Link: limits and faults", () => {
  test("takes large control frames after liftLimits() only", () => {
    const strict = makeLink();
    arrive(strict.transport, frame("OPEN", pattern(4_097), 1));
    expect(strict.faults.map(({ code }) => code)).toEqual(["FRAME_TOO_LARGE"]);

    const lifted = makeLink();
    lifted.link.liftLimits();
    arrive(lifted.transport, frame("OPEN", pattern(65_536), 1));
    expect([lifted.faults, lifted.frames.length]).toEqual([[], 1]);
  });

  test("reports a fault once and decodes nothing after it", () => {
    const { transport, frames, faults } = makeLink();
    arrive(transport, Buffer.from("GET / HTTP/1.1\r\n\r\n"));
    arrive(transport, frame("OPEN", {}, 1));
    expect(faults.map(({ code }) => code)).toEqual(["BAD_MAGIC"]);
    expect(frames).toEqual([]);
  });

  test("a handler that throws is a fault of this link, and no exception in the transport", () => {
    const { transport, faults } = makeLink({
      onFrame: () => {
        throw new RangeError("a defect");
      },
    });
    arrive(transport, frame("OPEN", {}, 1));
    expect(faults.map(({ code, message }) => [code, message])).toEqual([["UNEXPECTED", "a defect"]]);
  });
});

/** Frames that come together are handled in many turns. */
async function allTurns(): Promise<void> {
  for (let count = 0; count < 50; count++) await settle();
}

const flood = (count: number) => Buffer.concat(Array(count).fill(frame("PING", pattern(8))));

/** Nothing leaves any more from now on. */
async function block(transport: FakeTransport, link: Link): Promise<void> {
  transport.blocked = true;
  link.send(Opcode.PING, 0, pattern(8));
  await settle();
}

describe("Link: a peer that does not read", () => {
  test("is not read from while the answers pile up, and is read again when they have left", async () => {
    const { transport, link } = makeLink();
    link.startHeartbeat();
    await block(transport, link);
    arrive(transport, flood(10_000));
    await allTurns();
    expect([transport.paused, link.congested]).toEqual([false, false]);
    arrive(transport, flood(1_000));
    await allTurns();
    expect([transport.paused, link.congested]).toEqual([true, true]);
    transport.blocked = false;
    transport.handler?.onDrain();
    await allTurns();
    expect([transport.paused, link.congested]).toEqual([false, false]);
    expect(sent(transport).filter(({ name }) => name === "PONG")).toHaveLength(11_000);
    arrive(transport, flood(1));
    expect([transport.paused, link.congested]).toEqual([false, false]); // what has left counts no more
  });
});

describe("Link: a pause", () => {
  test("that ends when there is time is brief: nobody who is gone is read to the end before it is his turn", async () => {
    const { transport, link } = makeLink();
    link.startHeartbeat();
    arrive(transport, flood(1_000));
    await allTurns();
    expect([transport.paused, transport.pauses]).toEqual([false, ["brief"]]);
  });

  test("that only the peer can end is a long one, also while there is no time", async () => {
    const { transport, link } = makeLink();
    link.startHeartbeat();
    await block(transport, link);
    arrive(transport, flood(11_000));
    await allTurns();
    expect([transport.paused, transport.pauses]).toEqual([true, ["brief", "long"]]);
  });
});

describe("Link: what came already from a peer that does not read", () => {
  /** Answers each OPEN with 64 KB, and counts them. */
  const answering = () => {
    let answered = 0;
    const onFrame = (header: { streamId: number }) => {
      answered++;
      made.link.send(Opcode.ACCEPT, header.streamId, pattern(65_000));
    };
    const made = makeLink({ onFrame }, { countsAccepts: true });
    return { ...made, answered: () => answered };
  };
  const opens = Buffer.concat(Array.from({ length: 100 }, (_, index) => frame("OPEN", {}, 2 * index + 1)));

  test("waits until the answers have left, frame by frame, and then goes on to its end", async () => {
    const { transport, link, answered } = answering();
    await block(transport, link);
    arrive(transport, opens);
    await allTurns();
    expect([answered(), transport.paused]).toEqual([5, true]);
    transport.blocked = false;
    transport.handler?.onDrain();
    await allTurns();
    expect([answered(), transport.paused]).toEqual([100, false]);
  });

  test("is not carried out any more when the link is lost", async () => {
    const { transport, link, answered, ends } = answering();
    await block(transport, link);
    arrive(transport, opens);
    await allTurns();
    transport.handler?.onClosed(new Error("ECONNRESET"));
    await allTurns();
    expect([answered(), ends.length]).toEqual([5, 1]);
  });
});

describe("Link: what comes, behind the pause, from a peer that does not read and is gone", () => {
  test.each([
    ["its end", (transport: FakeTransport) => transport.handler?.onPeerEnd?.()],
    ["the loss of the link", (transport: FakeTransport) => transport.handler?.onClosed(new Error("ECONNRESET"))],
  ])("is thrown away, and %s told at once", async (_, end) => {
    const { transport, link, frames, ends } = makeLink();
    link.startHeartbeat();
    await block(transport, link);
    arrive(transport, flood(11_000));
    await allTurns();
    expect(transport.paused).toBe(true);
    const bytes = Buffer.concat(Array(2_000).fill(frame("OPEN", {}, 1)));
    transport.handler?.onBytes(bytes);
    expect(bytes.length).toBe(0);
    end(transport);
    await allTurns();
    expect([frames, ends.length]).toEqual([[], 1]);
  });
});

describe("Link: the memory of what arrives", () => {
  const data = (bytes: number) => Buffer.concat([frame("DATA", pattern(bytes), 1), frame("PING", pattern(8))]);
  /** Bytes as they arrive, in a buffer of their own. */
  const arriving = (transport: FakeTransport, bytes: Uint8Array) => {
    const own = new Uint8Array(bytes);
    transport.handler?.onBytes(own);
    return own;
  };

  test("is free at once when nobody needs it any more, and with who keeps a piece of it when that lets go", () => {
    const kept: Uint8Array[] = [];
    const { transport, link } = makeLink({
      onData: (_, piece) => {
        hold(piece);
        kept.push(piece);
      },
    });
    link.liftLimits();
    const unneeded = arriving(transport, frame("OPEN", pattern(60_000), 1));
    expect(unneeded.length).toBe(0);
    const needed = arriving(transport, data(100_000));
    expect(needed.length).toBeGreaterThan(100_000);
    for (const piece of kept) letGo(piece);
    expect(needed.length).toBe(0);
  });

  test("stays while what came is handled turn by turn", async () => {
    const { transport, frames } = makeLink();
    const bytes = arriving(transport, Buffer.concat(Array(2_000).fill(frame("OPEN", {}, 1))));
    while (frames.length < 2_000) {
      expect(bytes.length).toBeGreaterThan(0);
      await settle();
    }
    await settle();
    expect(bytes.length).toBe(0);
  });

  test.each([
    ["is free at once when the link is lost meanwhile, and the rest is not handled", new Error("ECONNRESET"), false],
    ["stays after an orderly end until all was handled", undefined, true],
  ])("%s", async (_what, error, isHeard) => {
    const { transport, frames, ends } = makeLink();
    const bytes = arriving(transport, Buffer.concat(Array(2_000).fill(frame("OPEN", {}, 1))));
    const before = frames.length;
    transport.handler?.onClosed(error);
    expect([bytes.length > 0, ends.length]).toEqual([isHeard, isHeard ? 0 : 1]);
    await allTurns();
    expect([frames.length, bytes.length, ends.length]).toEqual([isHeard ? 2_000 : before, 0, 1]);
  });
});

describe("Link: reading while what it sends piles up", () => {
  test.each([
    ["stops for RESET, of which the peer can cause any number", Opcode.RESET, true],
    ["goes on for OPEN, which is ours", Opcode.OPEN, false],
    ["goes on for ACCEPT, which maxStreams bounds", Opcode.ACCEPT, false],
    ["stops for ACCEPT where that counts", Opcode.ACCEPT, true],
  ] as const)("%s", async (_what, opcode, paused) => {
    const { transport, link } = makeLink({}, { countsAccepts: paused });
    await block(transport, link);
    for (let count = 0; count < 100; count++) link.send(opcode, 1, pattern(4_000));
    expect([transport.paused, link.congested]).toEqual([paused, true]);
  });
});

describe("Link: its end", () => {
  test("closeWith() sends the reason as the last frame, then closes the transport", () => {
    const { transport, frames, link } = makeLink();
    link.closeWith(Opcode.REFUSE, "SERVER_FULL", "full");
    expect(sent(transport)).toMatchObject([{ name: "REFUSE", json: { code: 12, message: "full" } }]);
    expect(transport.closed).toBeTrue();
    arrive(transport, frame("OPEN", {}, 1));
    expect(frames).toEqual([]);
  });

  test("close() stops the heartbeat", () => {
    const { clock, link } = makeLink();
    link.startHeartbeat();
    link.close();
    expect(clock.pending).toBe(0);
  });

  test("abort() ends the transport at once and stops the heartbeat", () => {
    const { transport, clock, link } = makeLink();
    link.startHeartbeat();
    link.send(Opcode.PING, 0, pattern(8));
    link.abort();
    expect([transport.aborted, transport.writes.length, clock.pending]).toEqual([true, 0, 0]);
  });

  test("a lost transport is reported once, as LOST with its cause", async () => {
    const { transport, ends, link } = makeLink();
    const closed = watch(link.closed);
    const cause = new Error("ECONNRESET");
    transport.handler?.onClosed(cause);
    transport.handler?.onClosed(undefined);
    await settle();
    expect(ends).toMatchObject([{ code: "LOST", cause }]);
    expect(closed.state).toBe("resolved");
  });

  test("a clean end is reported without an error", () => {
    const { transport, ends } = makeLink();
    transport.handler?.onClosed(undefined);
    expect(ends).toEqual([undefined]);
  });

  test("a peer that sends no more is reported as gone, once, while its last bytes are on their way to it", async () => {
    const { transport, ends, link, clock } = makeLink();
    link.startHeartbeat();
    const closed = watch(link.closed);
    await block(transport, link);
    transport.handler?.onPeerEnd?.();
    await settle();
    expect([ends, closed.state, transport.closed, clock.pending]).toEqual([[undefined], "pending", true, 0]);
    transport.handler?.onClosed(new Error("ECONNRESET"));
    await settle();
    expect([ends, closed.state]).toEqual([[undefined], "resolved"]);
  });

  test("bytesIn and bytesOut count headers and payloads", async () => {
    const { transport, link } = makeLink();
    arrive(transport, frame("OPEN", pattern(10), 1));
    link.send(Opcode.OPEN, 1, pattern(20));
    await settle();
    expect([link.bytesIn, link.bytesOut]).toEqual([26, 36]);
  });
});
