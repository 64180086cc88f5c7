import { BLOCK_BYTES } from "../block.ts";
import type { StorageEntry } from "../storage/storage.ts";
import type { BlockDigests } from "../transfer/file-sender.ts";

/** Digests that are kept, of a megabyte of files each: 8 MB. */
const MAX_BLOCKS = 1_000_000;
/** What a file takes besides, its name and the objects for it, in digests. */
const BLOCKS_PER_FILE = 64;

/** Digests of blocks that were sent before: what has not changed since need not be read by us again to be sent. */
export class BlockDigestCache {
  /** By path and etag; the least recently used first. 0 is a digest that is not known. */
  readonly #files = new Map<string, BigUint64Array>();
  #blocks = 0;

  /** For this state of a file. What does not fit is not kept. */
  of({ path, etag, size }: StorageEntry): BlockDigests | undefined {
    const blocks = Math.ceil(size / BLOCK_BYTES);
    if (blocks > MAX_BLOCKS) return undefined;
    const key = `${etag} ${path}`;
    let digests = this.#files.get(key);
    if (digests === undefined) {
      digests = new BigUint64Array(blocks);
      this.#blocks += blocks + BLOCKS_PER_FILE;
    } else this.#files.delete(key);
    this.#files.set(key, digests);
    this.#makeRoom();
    const kept = digests;
    return {
      get: (offset) => kept[offset / BLOCK_BYTES] || undefined,
      set: (offset, digest) => {
        kept[offset / BLOCK_BYTES] = digest;
      },
    };
  }

  #makeRoom(): void {
    for (const [key, { length }] of this.#files) {
      if (this.#blocks <= MAX_BLOCKS) return;
      this.#files.delete(key);
      this.#blocks -= length + BLOCKS_PER_FILE;
    }
  }
}
