import { describe, expect, test } from "bun:test";
import { Opcode } from "../../../lib/protocol/opcode.ts";
import { SendQueue } from "../../../lib/session/send-queue.ts";
import { pattern } from "../../support/bytes.ts";
import { settle } from "../../support/fake-clock.ts";
import { FakeTransport } from "../../support/fake-transport.ts";
import { frame, parseFrames } from "../../support/frames.ts";
import { ListSource } from "../../support/list-source.ts";

function makeQueue() {
  const transport = new FakeTransport();
  const queue = new SendQueue(transport);
  return { transport, queue };
}

const PING = frame("PING", pattern(8));
/** What was written: name and stream of each frame, in order. */
const written = (transport: FakeTransport) =>
  parseFrames(transport.bytes).frames.map(({ name, stream }) => `${name} ${stream}`);

describe("SendQueue", () => {
  test("writes at the end of the present task, not within it", async () => {
    const { transport, queue } = makeQueue();
    queue.pushControl(PING);
    expect(transport.writes).toHaveLength(0);
    await settle();
    expect(transport.bytes).toEqual(PING);
  });

  test("small frames of one task leave in one write", async () => {
    const { transport, queue } = makeQueue();
    queue.addSource(new ListSource(1, [pattern(100), pattern(100)]));
    for (let count = 0; count < 10; count++) queue.pushControl(PING);
    queue.addSource(new ListSource(3, [pattern(100)]));
    await settle();
    expect(transport.writes).toHaveLength(1);
    expect(parseFrames(transport.bytes).frames).toHaveLength(13);
  });

  test("control goes before data, whatever came first", async () => {
    const { transport, queue } = makeQueue();
    queue.addSource(new ListSource(1, [pattern(10)]));
    queue.pushControl(PING);
    queue.pushControl(frame("CREDIT", pattern(4), 3));
    await settle();
    expect(written(transport)).toEqual(["PING 0", "CREDIT 3", "DATA 1"]);
  });

  test("control that comes while the transport is full goes before the data that waited", async () => {
    const { transport, queue } = makeQueue();
    transport.blocked = true;
    queue.addSource(new ListSource(1, [pattern(20_000), pattern(20_000, 1)]));
    await settle();
    queue.pushControl(PING);
    await settle();
    expect(written(transport)).toEqual(["DATA 1"]);
    transport.blocked = false;
    queue.drained();
    expect(written(transport)).toEqual(["DATA 1", "PING 0", "DATA 1"]);
  });

  test("control above one batch keeps its order and still goes before data", async () => {
    const { transport, queue } = makeQueue();
    queue.addSource(new ListSource(9, [pattern(10)]));
    for (let id = 1; id <= 5; id++) queue.pushControl(frame("OPEN", pattern(30_000), id));
    await settle();
    expect(written(transport)).toEqual(["OPEN 1", "OPEN 2", "OPEN 3", "OPEN 4", "OPEN 5", "DATA 9"]);
  });

  test("sources take turns, a frame each", async () => {
    const { transport, queue } = makeQueue();
    const three = (seed: number) => [pattern(10, seed), pattern(10, seed), pattern(10, seed)];
    queue.addSource(new ListSource(1, three(1)));
    queue.addSource(new ListSource(3, three(3)));
    queue.addSource(new ListSource(5, [pattern(10)]));
    await settle();
    const turns = [1, 3, 5, 1, 3, 1, 3];
    expect(written(transport)).toEqual(turns.map((id) => `DATA ${id}`));
  });

  test("sources take turns with large frames and over full transports too", async () => {
    const { transport, queue } = makeQueue();
    transport.blocked = true;
    for (const id of [1, 3, 5]) queue.addSource(new ListSource(id, [pattern(50_000, id), pattern(50_000, id)]));
    await settle();
    for (let turn = 0; turn < 6; turn++) queue.drained();
    expect(written(transport)).toEqual([1, 3, 5, 1, 3, 5].map((id) => `DATA ${id}`));
  });

  test("a source that is added again keeps its one place", async () => {
    const { transport, queue } = makeQueue();
    const source = new ListSource(1, [pattern(1), pattern(1)]);
    queue.addSource(source);
    queue.addSource(new ListSource(3, [pattern(1)]));
    queue.addSource(source);
    await settle();
    expect(written(transport)).toEqual(["DATA 1", "DATA 3", "DATA 1"]);
  });

  test("a source that has nothing is asked no more until it is added again", async () => {
    const { transport, queue } = makeQueue();
    const source = new ListSource(1, []);
    queue.addSource(source);
    await settle();
    const asked = source.asked;
    source.push(pattern(1));
    queue.pushControl(PING);
    await settle();
    expect(source.asked).toBe(asked);
    queue.addSource(source);
    await settle();
    expect(written(transport)).toEqual(["PING 0", "DATA 1"]);
  });

  test("removeSource() takes a source out of the round", async () => {
    const { transport, queue } = makeQueue();
    const source = new ListSource(1, [pattern(1)]);
    queue.addSource(source);
    queue.removeSource(source);
    await settle();
    expect(transport.writes).toEqual([]);
    expect(source.asked).toBe(0);
  });

  test("a large payload is handed to the transport uncopied, after its header", async () => {
    const { transport, queue } = makeQueue();
    const payload = pattern(200_000);
    queue.addSource(new ListSource(1, [payload]));
    await settle();
    expect(transport.writes.map(({ length }) => length)).toEqual([16, 200_000]);
    expect(transport.buffers[1]).toBe(payload.buffer);
  });

  test("payloads of up to 16384 bytes are copied together, larger ones are not", async () => {
    const { transport, queue } = makeQueue();
    queue.addSource(new ListSource(1, [pattern(16_384), pattern(16_384), pattern(16_385)]));
    await settle();
    expect(transport.writes.map(({ length }) => length)).toEqual([3 * 16 + 2 * 16_384, 16_385]);
  });

  test("one write gathers little more than 64 KiB, however much waits", async () => {
    const { transport, queue } = makeQueue();
    queue.addSource(new ListSource(1, Array(100).fill(pattern(4_000))));
    await settle();
    expect(Math.max(...transport.writes.map(({ length }) => length))).toBeLessThan(64 * 1024 + 4_016);
    expect(parseFrames(transport.bytes).frames).toHaveLength(100);
  });

  test("no frame is asked of a source when the transport is full", async () => {
    const { transport, queue } = makeQueue();
    transport.blocked = true;
    const source = new ListSource(1, Array(100).fill(pattern(50_000)));
    queue.addSource(source);
    await settle();
    expect(source.asked).toBe(1);
    queue.pushControl(PING);
    queue.addSource(source);
    await settle();
    expect(source.asked).toBe(1);
    queue.drained();
    expect(source.asked).toBe(2);
  });

  test("controlBytes counts what waits", async () => {
    const { queue } = makeQueue();
    queue.pushControl(PING);
    queue.pushControl(PING);
    expect(queue.controlBytes).toBe(2 * PING.length);
    await settle();
    expect(queue.controlBytes).toBe(0);
  });

  test("a frame of a source is encoded as the naive codec does it", async () => {
    const { transport, queue } = makeQueue();
    queue.addSource(new ListSource(0xabcdef01, [pattern(300)]));
    queue.addSource({ takeFrame: oneEnd(5) });
    await settle();
    const expected = [frame("DATA", pattern(300), 0xabcdef01), frame("END", Buffer.alloc(0), 5)];
    expect(transport.bytes).toEqual(Buffer.concat(expected));
  });
});

function oneEnd(streamId: number) {
  let given = false;
  return () => {
    if (given) return undefined;
    given = true;
    return { opcode: Opcode.END, streamId, payload: new Uint8Array(0), onSent: undefined };
  };
}
