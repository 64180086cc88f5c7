import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES, PIECE_BYTES } from "../../../lib/block.ts";
import { decodePatch, encodePatchEnd, PATCH_END_BYTES } from "../../../lib/protocol/patch.ts";

const TAG = Uint8Array.from({ length: 16 }, (_, at) => 200 + at);

function patchOf(pieces: number[], bytes: number): Uint8Array {
  const payload = new Uint8Array(bytes + PATCH_END_BYTES);
  encodePatchEnd(payload, bytes, { pieces, tag: TAG });
  return payload;
}

describe("a patch", () => {
  test.each([
    [[], 0, BLOCK_BYTES],
    [[0], PIECE_BYTES, BLOCK_BYTES],
    [[63], PIECE_BYTES, BLOCK_BYTES],
    [[0, 31, 32, 33, 63], 5 * PIECE_BYTES, BLOCK_BYTES],
    [Array.from({ length: 63 }, (_, at) => at), 63 * PIECE_BYTES, BLOCK_BYTES],
    [[1], 5, PIECE_BYTES + 5],
    [[], 0, 1],
  ])("of the pieces %p is read as it was written", (pieces, bytes, blockBytes) => {
    expect(decodePatch(patchOf(pieces, bytes), blockBytes)).toEqual({ pieces, tag: TAG });
  });

  test.each([
    ["with fewer bytes than its pieces have", [0, 1], PIECE_BYTES, BLOCK_BYTES],
    ["with more bytes", [0], PIECE_BYTES + 1, BLOCK_BYTES],
    ["with bytes and no piece", [], 7, BLOCK_BYTES],
    ["with a piece beyond its block", [2], PIECE_BYTES, 2 * PIECE_BYTES],
    ["with a piece far beyond its block", [1, 63], 5, PIECE_BYTES + 5],
    ["whose last piece is longer than the block's", [1], PIECE_BYTES, PIECE_BYTES + 5],
  ])("%s is none", (_, pieces, bytes, blockBytes) => {
    expect(decodePatch(patchOf(pieces, bytes), blockBytes)).toBeUndefined();
  });
});
