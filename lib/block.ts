/** The unit in which files are verified, resumed and sent again. Source: PROTOCOL.md, "Chunks". */
export const BLOCK_BYTES = 1024 * 1024;

/** The parts of a block that come one by one in a PATCH. Source: PROTOCOL.md, "Patches". */
export const PIECE_BYTES = 16 * 1024;
export const PIECES_PER_BLOCK = BLOCK_BYTES / PIECE_BYTES;

/** A block's number has 32 bits: blocks beyond can't be requested. Source: PROTOCOL.md, "Chunks". */
export const MAX_NUMBERED_BYTES = 2 ** 32 * BLOCK_BYTES;

/** 16 TiB: the journal of an unfinished file takes 128 MB then. */
export const MAX_FILE_BYTES = 2 ** 44;

/** XXH3-64 of `bytes`, with a 32-bit seed. */
export type Digest64 = (bytes: Uint8Array, seed: number) => bigint;

/** The bytes of a BlockTag, and of its key. */
export const TAG_BYTES = 16;
export const TAG_KEY_BYTES = 16;

/**
 * A digest of a block under a key of TAG_KEY_BYTES: nobody who does not know the key can make two blocks with the same
 * tag. AES-128-GMAC with the number of the block as its nonce. Source: PROTOCOL.md, "Patches".
 */
export type BlockTag = (bytes: Uint8Array, key: Uint8Array, offset: number) => Uint8Array;

/** The number of the block at `offset`, as the seed of its digest: this also detects a block in the wrong place. */
export function seedOf(offset: number): number {
  return Math.floor(offset / BLOCK_BYTES) >>> 0;
}

/** Bytes from the first number up to, not including, the second; they begin and end with blocks. */
export type Range = readonly [from: number, to: number];
