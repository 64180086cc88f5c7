import { describe, expect, test } from "bun:test";
import { Opcode } from "../../../lib/protocol/opcode.ts";
import { Link } from "../../../lib/session/link.ts";
import { RateLimit, rateBucket } from "../../../lib/session/rate-limit.ts";
import { SendQueue } from "../../../lib/session/send-queue.ts";
import { pattern } from "../../support/bytes.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";
import { FakeTransport } from "../../support/fake-transport.ts";
import { frame, parseFrames } from "../../support/frames.ts";
import { ListSource } from "../../support/list-source.ts";

const RATE = 100_000;
const FRAME = 10_000;
/** Frames that pass at once: a quarter of a second's worth, and the one that overdraws it. */
const BURST = RATE / 4 / FRAME + 0.5;

function limited(frames: number) {
  const clock = new FakeClock();
  const transport = new FakeTransport();
  const queue = new SendQueue(transport, { limit: new RateLimit(clock, [rateBucket(RATE, clock)]), clock });
  queue.addSource(
    new ListSource(
      1,
      Array.from({ length: frames }, () => pattern(FRAME)),
    ),
  );
  return { clock, transport, queue };
}

const names = (transport: FakeTransport) => parseFrames(transport.bytes).frames.map(({ name }) => name);
const dataOf = (transport: FakeTransport) => names(transport).filter((name) => name === "DATA").length;

describe("a SendQueue with a rate limit", () => {
  test("sends DATA at the rate, after a first burst", async () => {
    const { clock, transport } = limited(100);
    await settle();
    expect(dataOf(transport)).toBe(BURST);
    for (let second = 1; second <= 5; second++) {
      await clock.advance(1_000);
      expect(dataOf(transport)).toBe(BURST + (second * RATE) / FRAME);
    }
  });

  test("sends control frames at once, ahead of DATA that waits", async () => {
    const { clock, transport, queue } = limited(100);
    await settle();
    const before = dataOf(transport);
    for (let count = 0; count < 50; count++) queue.pushControl(frame("PONG", pattern(8)));
    await settle();
    expect(names(transport).filter((name) => name === "PONG")).toHaveLength(50);
    expect(dataOf(transport)).toBe(before);
    await clock.advance(1_000);
    expect(dataOf(transport)).toBe(before + RATE / FRAME);
  });

  test("control frames take nothing from DATA", async () => {
    const { clock, transport, queue } = limited(100);
    for (let count = 0; count < 10_000; count++) queue.pushControl(frame("PONG", pattern(8)));
    await settle();
    await clock.advance(1_000);
    expect(dataOf(transport)).toBe(BURST + RATE / FRAME);
  });

  test.each(["close", "abandon"] as const)("%s() leaves no timer behind", async (end) => {
    const { clock, queue } = limited(100);
    await settle();
    expect(clock.pending).toBe(1);
    queue[end]();
    expect(clock.pending).toBe(0);
  });

  test("sends all of it in the end, in order", async () => {
    const { clock, transport } = limited(30);
    await settle();
    await clock.advance(60_000);
    expect(dataOf(transport)).toBe(30);
    expect(clock.pending).toBe(0);
  });
});

describe("a Link with a rate limit for what comes in", () => {
  const nobody = { onFrame() {}, onData() {}, onFault() {}, onClosed() {} };

  function limitedLink() {
    const clock = new FakeClock();
    const transport = new FakeTransport();
    const rateLimit = { out: undefined, in: new RateLimit(clock, [rateBucket(RATE, clock)]) };
    const link = new Link(transport, { clock, handler: nobody, heartbeatMs: 15_000, rateLimit });
    link.start();
    return { clock, transport, link };
  }
  /** DATA has come, and has reached its sink. */
  const consume = (link: Link, stream: number, bytes: number) => {
    link.onData(stream, new Uint8Array(bytes));
    link.sendCredit(stream, bytes);
  };
  const granted = (transport: FakeTransport) =>
    parseFrames(transport.bytes)
      .frames.filter(({ name }) => name === "CREDIT")
      .reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0);

  test("grants credit at the rate, in order, and loses none", async () => {
    const { clock, transport, link } = limitedLink();
    for (let count = 0; count < 40; count++) consume(link, count % 2 === 0 ? 1 : 3, FRAME);
    await settle();
    expect(granted(transport)).toBeLessThanOrEqual(RATE / 4);
    for (let second = 1; second <= 3; second++) {
      await clock.advance(1_000);
      expect(granted(transport)).toBeLessThanOrEqual(RATE / 4 + second * RATE);
      expect(granted(transport)).toBeGreaterThanOrEqual(second * RATE);
    }
    await clock.advance(10_000);
    expect(granted(transport)).toBe(40 * FRAME);
  });

  test("other frames are not held back", async () => {
    const { transport, link } = limitedLink();
    consume(link, 1, 100 * FRAME);
    link.send(Opcode.PONG, 0, pattern(8));
    await settle();
    expect(names(transport)).toEqual(["PONG"]);
  });

  test("a link that has ended leaves no timer behind", async () => {
    const { clock, link } = limitedLink();
    const before = clock.pending;
    for (let count = 0; count < 10; count++) consume(link, 1, 100 * FRAME);
    link.abort();
    link.onClosed(undefined);
    expect(clock.pending).toBe(before);
  });
});
