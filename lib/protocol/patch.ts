import { BLOCK_BYTES, PIECE_BYTES, PIECES_PER_BLOCK, TAG_BYTES } from "../block.ts";
import { readUint32, writeUint32 } from "./header.ts";

/** The payload of PATCH: pieces, which of the block's pieces they are, and the block's tag. Source: "Patches". */

/** The digest of a piece, in an offer. */
export const PIECE_DIGEST_BYTES = 4;
/** The most blocks whose pieces one record offers. */
export const MAX_OFFERED_BLOCKS = 32;
export const MAX_OFFERED_BYTES = MAX_OFFERED_BLOCKS * PIECES_PER_BLOCK * PIECE_DIGEST_BYTES;

const MASK_BYTES = 8;
/** What follows the pieces. */
export const PATCH_END_BYTES = MASK_BYTES + TAG_BYTES;
/** At least one piece does not come. */
export const MAX_PATCH_BYTES = BLOCK_BYTES - PIECE_BYTES + PATCH_END_BYTES;

/** A PATCH, taken apart. */
export interface Patch {
  /** The numbers of the pieces that have come, in the order of their bytes. */
  readonly pieces: readonly number[];
  /** A view of the payload. */
  readonly tag: Uint8Array;
}

/** Write what follows the pieces into `target` from `at` on; `pieces` are their numbers in the block. */
export function encodePatchEnd(target: Uint8Array, at: number, { pieces, tag }: Patch): void {
  let [high, low] = [0, 0];
  for (const piece of pieces) {
    if (piece < 32) low |= 1 << piece;
    else high |= 1 << (piece - 32);
  }
  writeUint32(target, at, high >>> 0);
  writeUint32(target, at + 4, low >>> 0);
  target.set(tag, at + MASK_BYTES);
}

/** @returns undefined when it is no patch of a block of `blockBytes` bytes */
export function decodePatch(payload: Uint8Array, blockBytes: number): Patch | undefined {
  const end = payload.length - PATCH_END_BYTES;
  const [high, low] = [readUint32(payload, end), readUint32(payload, end + 4)];
  const pieces: number[] = [];
  let bytes = 0;
  for (let piece = 0; piece < PIECES_PER_BLOCK; piece++) {
    if (((piece < 32 ? low : high) & (1 << (piece % 32))) === 0) continue;
    pieces.push(piece);
    bytes += pieceBytes(piece, blockBytes);
  }
  const isWithin = (pieces.at(-1) ?? 0) * PIECE_BYTES < blockBytes;
  return isWithin && bytes === end ? { pieces, tag: payload.subarray(end + MASK_BYTES) } : undefined;
}

/** The length of a piece of a block of `blockBytes` bytes. */
export function pieceBytes(piece: number, blockBytes: number): number {
  return Math.min(PIECE_BYTES, blockBytes - piece * PIECE_BYTES);
}
