import { describe, expect, test } from "bun:test";
import { FrameDecoder } from "../../../lib/protocol/frame-decoder.ts";
import { allocationsDuring } from "../../support/allocations.ts";
import { pattern, pieces } from "../../support/bytes.ts";
import { FrameLog } from "../../support/frame-log.ts";
import { frame } from "../../support/frames.ts";

const NOWHERE = { onFrame() {}, onData() {} };

/** Lengths of the buffers that a decoder makes, those for the 16 bytes of a header left out. */
function buffersFor(parts: readonly Uint8Array[], sink: ConstructorParameters<typeof FrameDecoder>[0] = NOWHERE) {
  const decoder = new FrameDecoder(sink);
  decoder.maxControlBytes = 65_536;
  const lengths = allocationsDuring(() => {
    for (const part of parts) decoder.push(part);
  });
  return lengths.filter((length) => length !== 16);
}

describe("FrameDecoder", () => {
  test("hands DATA on piece by piece, before its frame is whole", () => {
    const log = new FrameLog();
    const decoder = new FrameDecoder(log);
    const bytes = frame("DATA", pattern(1_000), 9);
    decoder.push(bytes.subarray(0, 16));
    expect(log.pieces).toHaveLength(0);
    decoder.push(bytes.subarray(16, 17));
    expect(log.pieces.map(({ piece }) => piece.length)).toEqual([1]);
    decoder.push(bytes.subarray(17, 500));
    decoder.push(bytes.subarray(500));
    expect(log.pieces.map(({ streamId, piece }) => [streamId, piece.length])).toEqual([
      [9, 1],
      [9, 483],
      [9, 516],
    ]);
    expect(Buffer.concat(log.pieces.map(({ piece }) => piece))).toEqual(Buffer.from(pattern(1_000)));
  });

  test("hands on views of what was pushed: DATA is neither copied nor kept", () => {
    const bytes = frame("DATA", pattern(100_000), 9);
    const views: Uint8Array[] = [];
    const parts = pieces(bytes, 30_000);
    const buffers = buffersFor(parts, { onFrame() {}, onData: (_, piece) => views.push(piece) });
    expect(buffers).toEqual([]);
    expect(views.map(({ buffer }, index) => buffer === parts[index]?.buffer)).toEqual(parts.map(() => true));
  });

  test("copies no control payload that arrives whole", () => {
    expect(buffersFor([frame("OPEN", pattern(60_000), 1)])).toEqual([]);
  });

  test("announced but not sent, a control payload takes no memory", () => {
    const bytes = frame("OPEN", pattern(65_536), 1);
    expect(buffersFor([bytes.subarray(0, 16)])).toEqual([]);
    expect(Math.max(...buffersFor([bytes.subarray(0, 26)]))).toBeLessThanOrEqual(256);
  });

  test("a control payload in small pieces takes at most twice what has arrived, and never more than its length", () => {
    const bytes = frame("OPEN", pattern(50_000), 1);
    const decoder = new FrameDecoder(NOWHERE);
    decoder.maxControlBytes = 65_536;
    decoder.push(bytes.subarray(0, 16));
    let arrived = 0;
    let made = 0;
    for (const part of pieces(bytes.subarray(16), 13)) {
      arrived += part.length;
      for (const length of allocationsDuring(() => decoder.push(part))) {
        made += length;
        expect(length).toBeLessThanOrEqual(Math.min(50_000, Math.max(256, 2 * arrived)));
      }
    }
    // Grown by doubling: all buffers together stay in proportion, so byte by byte is not quadratic.
    expect(made).toBeLessThanOrEqual(4 * 50_000);
    expect(made).toBeGreaterThanOrEqual(50_000);
  });

  test("a collected payload is the receiver's own: the next frame leaves it as it was", () => {
    const payloads: Uint8Array[] = [];
    const parts = [pattern(600, 1), pattern(600, 2)].flatMap((payload) => pieces(frame("OPEN", payload, 1), 100));
    buffersFor(parts, { onFrame: (_, payload) => payloads.push(payload), onData() {} });
    expect(payloads.map((payload) => Buffer.from(payload))).toEqual([
      Buffer.from(pattern(600, 1)),
      Buffer.from(pattern(600, 2)),
    ]);
  });
});
