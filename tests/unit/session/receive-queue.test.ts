import { describe, expect, test } from "bun:test";
import { ReceiveQueue } from "../../../lib/session/receive-queue.ts";
import { pattern, pieces } from "../../support/bytes.ts";

function drain(queue: ReceiveQueue): Uint8Array[] {
  const shifted: Uint8Array[] = [];
  for (let piece = queue.shift(); piece !== undefined; piece = queue.shift()) shifted.push(piece);
  return shifted;
}

/** Bytes that the pieces keep alive: their buffers, each counted once. */
function memoryOf(kept: readonly Uint8Array[]): number {
  return [...new Set(kept.map(({ buffer }) => buffer))].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

describe("ReceiveQueue", () => {
  test("is empty at first, and after its last piece", () => {
    const queue = new ReceiveQueue();
    expect(queue.shift()).toBeUndefined();
    queue.push(Uint8Array.of(1));
    expect(queue.shift()).toEqual(Uint8Array.of(1));
    expect(queue.shift()).toBeUndefined();
  });

  test("keeps large pieces as they came, uncopied", () => {
    const queue = new ReceiveQueue();
    const large = [pattern(4_096, 1), pattern(100_000, 2), pattern(4_096, 3)];
    for (const piece of large) queue.push(piece);
    expect(drain(queue).map(({ buffer }, index) => buffer === large[index]?.buffer)).toEqual([true, true, true]);
  });

  test("a piece that is a small part of what arrived does not keep the rest of it in memory", () => {
    const queue = new ReceiveQueue();
    for (let round = 0; round < 16; round++) queue.push(pattern(65_536, round).subarray(100, 100 + 4_096));
    const kept = drain(queue);
    expect(memoryOf(kept)).toBeLessThanOrEqual(4 * 16 * 4_096);
    expect(Buffer.concat(kept)).toEqual(
      Buffer.concat(Array.from({ length: 16 }, (_, round) => pattern(65_536, round).subarray(100, 100 + 4_096))),
    );
  });

  test("many 1-byte pieces stay bounded: few pieces, little more memory than bytes", () => {
    const queue = new ReceiveQueue();
    const bytes = pattern(100_000);
    for (const piece of pieces(bytes, 1)) queue.push(piece);
    const kept = drain(queue);
    expect(kept.length).toBeLessThanOrEqual(10);
    expect(memoryOf(kept)).toBeLessThan(2 * bytes.length);
    expect(Buffer.concat(kept)).toEqual(Buffer.from(bytes));
  });

  test("small pieces between large ones keep the order, and memory in proportion", () => {
    const queue = new ReceiveQueue();
    const sent: Uint8Array[] = [];
    for (let round = 0; round < 50; round++) sent.push(pattern(1, round), pattern(4_096, round), pattern(3, round));
    for (const piece of sent) queue.push(piece);
    const kept = drain(queue);
    expect(Buffer.concat(kept)).toEqual(Buffer.concat(sent));
    expect(memoryOf(kept)).toBeLessThan(6 * Buffer.concat(sent).length);
  });

  test("gathers behind a first piece that it does not touch", () => {
    const queue = new ReceiveQueue();
    const first = Uint8Array.of(1);
    queue.push(first);
    queue.push(Uint8Array.of(2));
    queue.push(Uint8Array.of(3));
    expect(queue.shift()?.buffer).toBe(first.buffer);
    expect(queue.shift()).toEqual(Uint8Array.of(2, 3));
  });

  test("a piece that was handed out is not written to any more", () => {
    const queue = new ReceiveQueue();
    for (const byte of [1, 2, 3]) queue.push(Uint8Array.of(byte));
    const [, gathered] = [queue.shift(), queue.shift()];
    for (const byte of [7, 8, 9]) queue.push(Uint8Array.of(byte));
    expect(gathered).toEqual(Uint8Array.of(2, 3));
    expect(new Uint8Array(gathered?.buffer as ArrayBuffer).subarray(0, 4)).toEqual(Uint8Array.of(2, 3, 0, 0));
    expect(Buffer.concat(drain(queue))).toEqual(Buffer.of(7, 8, 9));
  });

  test("a gathered piece takes its copy: the pushed buffer may change", () => {
    const queue = new ReceiveQueue();
    const small = Uint8Array.of(5);
    queue.push(Uint8Array.of(1));
    queue.push(small);
    small.fill(0);
    expect(Buffer.concat(drain(queue))).toEqual(Buffer.of(1, 5));
  });

  test("fills a gathering buffer to its last byte, then begins another", () => {
    const queue = new ReceiveQueue();
    queue.push(Uint8Array.of(0));
    for (let round = 0; round < 5; round++) queue.push(pattern(4_095, round));
    expect(drain(queue).map(({ length }) => length)).toEqual([1, 16_380, 4_095]);
  });

  test("clear() drops everything", () => {
    const queue = new ReceiveQueue();
    for (const byte of [1, 2, 3]) queue.push(Uint8Array.of(byte));
    queue.clear();
    expect(queue.shift()).toBeUndefined();
    queue.push(Uint8Array.of(4));
    expect(drain(queue)).toEqual([Uint8Array.of(4)]);
  });
});
