import { PIECE_BYTES } from "../block.ts";
import { writeUint32 } from "../protocol/header.ts";
import { PIECE_DIGEST_BYTES } from "../protocol/patch.ts";

/**
 * The digests of a block's pieces: the low 32 bits of what `digest` returns, which is XXH3-64 with the block's seed.
 * They only find pieces that may be the same; the tag of the block decides. Source: PROTOCOL.md, "Patches".
 */
export function digestsOf(block: Uint8Array, digest: (piece: Uint8Array) => bigint): Uint8Array {
  const digests = new Uint8Array(Math.ceil(block.length / PIECE_BYTES) * PIECE_DIGEST_BYTES);
  for (let from = 0, at = 0; from < block.length; from += PIECE_BYTES, at += PIECE_DIGEST_BYTES) {
    writeUint32(digests, at, Number(digest(block.subarray(from, from + PIECE_BYTES)) & 0xffff_ffffn));
  }
  return digests;
}

/** The numbers of the pieces whose digests in `now` differ from those in `before`, or are not there. */
export function changedPieces(now: Uint8Array, before: Uint8Array): number[] {
  const changed: number[] = [];
  for (let at = 0, piece = 0; at < now.length; at += PIECE_DIGEST_BYTES, piece++) {
    let isSame = at < before.length;
    for (let byte = at; byte < at + PIECE_DIGEST_BYTES; byte++) isSame &&= now[byte] === before[byte];
    if (!isSame) changed.push(piece);
  }
  return changed;
}
