import { BLOCK_BYTES, type Digest64, seedOf } from "../block.ts";
import type { PartFile } from "../storage/storage.ts";
import type { SpareBuffers } from "./spare-buffers.ts";

export interface WriteBlocksOptions {
  /** A byte of the file at which a block begins. */
  readonly offset: number;
  /** Blocks in memory at once: one that is filled, the others while they are written. */
  readonly blocks: number;
  readonly buffers: SpareBuffers;
  readonly digest64: Digest64;
}

/**
 * Write the bytes of a file from `offset` to its end, or until `fill` returns false: it has not filled its buffer to the
 * end. No write is under way any more when it settles.
 *
 * @throws as PartFile.write(); what `fill` throws
 */
export async function writeBlocks(
  part: PartFile,
  fill: (buffer: Uint8Array) => Promise<boolean>,
  { offset, blocks, buffers, digest64 }: WriteBlocksOptions,
): Promise<void> {
  const { size } = part.facts;
  const taken = Array.from({ length: blocks }, () => buffers.take());
  /** The last write of each buffer. */
  const writes: Promise<unknown>[] = [];
  try {
    for (let at = offset, turn = 0; at < size; at += BLOCK_BYTES, turn = (turn + 1) % blocks) {
      await writes[turn];
      const block = (taken[turn] as Uint8Array).subarray(0, Math.min(BLOCK_BYTES, size - at));
      if (!(await fill(block))) break;
      const write = part.write(at, block, digest64(block, seedOf(at)));
      write.catch(() => {}); // awaited before its buffer is used again
      writes[turn] = write;
    }
    await Promise.all(writes);
  } finally {
    await Promise.allSettled(writes);
    for (const buffer of taken) buffers.give(buffer);
  }
}
