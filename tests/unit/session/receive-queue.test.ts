import { describe, expect, test } from "bun:test";
import { ReceiveQueue } from "../../../lib/session/receive-queue.ts";
import { pattern, pieces } from "../../support/bytes.ts";

const SPARE = 16_384;

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
    const queue = new ReceiveQueue(SPARE);
    expect(queue.shift()).toBeUndefined();
    queue.push(Uint8Array.of(1));
    expect(queue.shift()).toEqual(Uint8Array.of(1));
    expect(queue.shift()).toBeUndefined();
  });

  test("keeps large pieces as they came, uncopied", () => {
    const queue = new ReceiveQueue(SPARE);
    const large = [pattern(4_096, 1), pattern(100_000, 2), pattern(4_096, 3)];
    for (const piece of large) queue.push(piece);
    expect(drain(queue).map(({ buffer }, index) => buffer === large[index]?.buffer)).toEqual([true, true, true]);
  });

  test("a piece that is a small part of what arrived does not keep the rest of it in memory", () => {
    const queue = new ReceiveQueue(SPARE);
    for (let round = 0; round < 16; round++) queue.push(pattern(65_536, round).subarray(100, 100 + 4_096));
    const kept = drain(queue);
    expect(memoryOf(kept)).toBeLessThanOrEqual(1.25 * 16 * 4_096 + SPARE);
    expect(Buffer.concat(kept)).toEqual(
      Buffer.concat(Array.from({ length: 16 }, (_, round) => pattern(65_536, round).subarray(100, 100 + 4_096))),
    );
  });

  test("pieces that fill a buffer are kept as they came, however it was cut", () => {
    const queue = new ReceiveQueue(65_536);
    for (let round = 0; round < 4; round++) {
      const buffer = pattern(65_536, round);
      for (const [from, to] of [
        [100, 9_000],
        [9_016, 40_000],
        [40_016, 65_536],
      ])
        queue.push(buffer.subarray(from, to));
    }
    const kept = drain(queue);
    expect(kept.every(({ buffer }) => buffer.byteLength === 65_536)).toBeTrue();
  });

  test("what is kept stays in proportion while it is read and more comes, whatever comes beside it", () => {
    const queue = new ReceiveQueue(SPARE);
    const waiting: Uint8Array[] = [];
    for (let round = 0; round < 200; round++) {
      const buffer = pattern(65_536, round);
      const parts =
        round % 3 === 0 ? [buffer.subarray(0, 5_000), buffer.subarray(60_000)] : [buffer.subarray(0, 30_000)];
      for (const part of parts) {
        queue.push(part);
        waiting.push(part);
      }
      if (round % 2 === 0) expect(queue.shift()).toEqual(waiting.shift());
    }
    const kept = drain(queue);
    expect(memoryOf(kept)).toBeLessThanOrEqual(1.25 * Buffer.concat(kept).length + SPARE);
    expect(Buffer.concat(kept)).toEqual(Buffer.concat(waiting));
  });

  test("of a window that is small little more is kept than has come", () => {
    for (const size of [1, 100, 2_049, 4_095, 4_096]) {
      const queue = new ReceiveQueue(1_024);
      const buffer = pattern(524_288);
      for (let bytes = 0; bytes + size <= 8_192; bytes += size) queue.push(buffer.subarray(bytes, bytes + size));
      expect(memoryOf(drain(queue))).toBeLessThanOrEqual(16_384);
    }
  });

  test("many 1-byte pieces stay bounded: few pieces, little more memory than bytes", () => {
    const queue = new ReceiveQueue(SPARE);
    const bytes = pattern(100_000);
    for (const piece of pieces(bytes, 1)) queue.push(piece);
    const kept = drain(queue);
    expect(kept.length).toBeLessThanOrEqual(10);
    expect(memoryOf(kept)).toBeLessThan(2 * bytes.length);
    expect(Buffer.concat(kept)).toEqual(Buffer.from(bytes));
  });

  test("small pieces between large ones keep the order, and memory in proportion", () => {
    const queue = new ReceiveQueue(SPARE);
    const sent: Uint8Array[] = [];
    for (let round = 0; round < 50; round++) sent.push(pattern(1, round), pattern(4_096, round), pattern(3, round));
    for (const piece of sent) queue.push(piece);
    const kept = drain(queue);
    expect(Buffer.concat(kept)).toEqual(Buffer.concat(sent));
    expect(memoryOf(kept)).toBeLessThan(6 * Buffer.concat(sent).length);
  });

  test("gathers after a first piece that it does not touch", () => {
    const queue = new ReceiveQueue(SPARE);
    const first = Uint8Array.of(1);
    queue.push(first);
    queue.push(Uint8Array.of(2));
    queue.push(Uint8Array.of(3));
    expect(queue.shift()?.buffer).toBe(first.buffer);
    expect(queue.shift()).toEqual(Uint8Array.of(2, 3));
  });

  test("a piece that was handed out is not written to any more", () => {
    const queue = new ReceiveQueue(SPARE);
    for (const byte of [1, 2, 3]) queue.push(Uint8Array.of(byte));
    const [, gathered] = [queue.shift(), queue.shift()];
    for (const byte of [7, 8, 9]) queue.push(Uint8Array.of(byte));
    expect(gathered).toEqual(Uint8Array.of(2, 3));
    expect(new Uint8Array(gathered?.buffer as ArrayBuffer).subarray(0, 4)).toEqual(Uint8Array.of(2, 3, 0, 0));
    expect(Buffer.concat(drain(queue))).toEqual(Buffer.of(7, 8, 9));
  });

  test("a gathered piece takes its copy: the pushed buffer may change", () => {
    const queue = new ReceiveQueue(SPARE);
    const small = Uint8Array.of(5);
    queue.push(Uint8Array.of(1));
    queue.push(small);
    small.fill(0);
    expect(Buffer.concat(drain(queue))).toEqual(Buffer.of(1, 5));
  });

  test("fills a gathering buffer to its last byte, then begins another", () => {
    const queue = new ReceiveQueue(SPARE);
    queue.push(Uint8Array.of(0));
    for (let round = 0; round < 5; round++) queue.push(pattern(4_095, round));
    expect(drain(queue).map(({ length }) => length)).toEqual([1, 16_380, 4_095]);
  });

  test("clear() drops everything", () => {
    const queue = new ReceiveQueue(SPARE);
    for (const byte of [1, 2, 3]) queue.push(Uint8Array.of(byte));
    queue.clear();
    expect(queue.shift()).toBeUndefined();
    queue.push(Uint8Array.of(4));
    expect(drain(queue)).toEqual([Uint8Array.of(4)]);
  });
});
