import { BLOCK_BYTES, type BlockTag, PIECE_BYTES, PIECES_PER_BLOCK, type Range } from "../block.ts";
import { withoutHoles } from "../holes.ts";
import { CHUNK_HEADER_BYTES } from "../protocol/constants.ts";
import { encodePatchEnd, PATCH_END_BYTES, PIECE_DIGEST_BYTES, pieceBytes } from "../protocol/patch.ts";
import { blocksOf } from "./blocks-of.ts";
import type { ChunkWriter } from "./chunk-writer.ts";
import type { Frames } from "./frames.ts";
import type { GrowingFile } from "./growing-file.ts";
import { changedPieces, digestsOf } from "./pieces.ts";
import { readFully } from "./read-fully.ts";

const DIGESTS_PER_BLOCK = PIECES_PER_BLOCK * PIECE_DIGEST_BYTES;

/** What the receiver has of the blocks from one offset to another. */
export interface PieceOffer {
  readonly from: number;
  readonly to: number;
  /** The digests of its pieces, from `from` on. */
  readonly digests: Uint8Array;
  /** The key of the blocks' tags. */
  readonly key: Uint8Array;
}

export interface PatchSending {
  readonly writer: ChunkWriter;
  readonly frames: Frames;
  readonly blockTag: BlockTag;
  /** As SendTerms. */
  readonly holes?: readonly Range[] | undefined;
  /** As FileSenderOptions. */
  onSent(bytes: number, reused: number): void;
}

/**
 * Send the blocks of an offer that are in no hole, in ascending order: as PATCH, or as BLOCK where that takes no more
 * bytes. Source: PROTOCOL.md, "Patches".
 *
 * @throws as FileSender.sendBlocks()
 */
export async function sendPatches(
  id: number,
  watched: GrowingFile,
  { from, to, digests, key }: PieceOffer,
  { writer, frames, blockTag, holes = [], onSent }: PatchSending,
): Promise<void> {
  let before: Promise<void> = Promise.resolve();
  let turn = 0;
  try {
    for (const [offset, length] of blocksOf(withoutHoles([[from, to]], holes))) {
      const frame = frames.at(turn++, length);
      const block = frame.subarray(CHUNK_HEADER_BYTES);
      if (frames.count === 1) await before;
      await Promise.all([readFully(watched.file, block, offset), before]);
      watched.requireLength();
      const digest = writer.digest(block, offset);
      watched.note(offset, length, digest);
      const at = ((offset - from) / BLOCK_BYTES) * DIGESTS_PER_BLOCK;
      const known = digests.subarray(at, at + DIGESTS_PER_BLOCK);
      const pieces = changedPieces(
        digestsOf(block, (piece) => writer.digest(piece, offset)),
        known,
      );
      const changed = pieces.reduce((sum, piece) => sum + pieceBytes(piece, length), 0);
      const isPatch = changed + PATCH_END_BYTES < length;
      if (isPatch) pack(block, pieces, blockTag(block, key, offset));
      const sent = isPatch
        ? writer.patch(id, offset, frame.subarray(0, CHUNK_HEADER_BYTES + changed + PATCH_END_BYTES))
        : writer.block(id, offset, frame, digest);
      before = sent.then(() => onSent(length, isPatch ? length - changed : 0));
      before.catch(() => {}); // awaited in the next round
    }
    await before;
  } finally {
    // Its buffer is in use until then.
    await before.catch(() => {});
  }
}

/** Turn a block into the payload of its PATCH: the pieces move to the front, in order, so that none overwrites another. */
function pack(block: Uint8Array, pieces: readonly number[], tag: Uint8Array): void {
  let end = 0;
  for (const piece of pieces) {
    const bytes = pieceBytes(piece, block.length);
    block.copyWithin(end, piece * PIECE_BYTES, piece * PIECE_BYTES + bytes);
    end += bytes;
  }
  encodePatchEnd(block, end, { pieces, tag });
}
