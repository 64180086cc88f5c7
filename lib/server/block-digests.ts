import { BLOCK_BYTES } from "../block.ts";
import type { StorageEntry } from "../storage/storage.ts";
import type { BlockDigests } from "../transfer/file-sender.ts";

/** Digests that are kept, of a megabyte of files each: 8 MB. */
const MAX_BLOCKS = 1_000_000;
/** What a file takes besides, its name and the objects for it, in digests. */
const BLOCKS_PER_FILE = 64;

interface KnownDigests {
  /** Of the state of the file. */
  readonly etag: string;
  /** 0 is a digest that is not known. */
  readonly digests: BigUint64Array;
}

/** Digests of blocks that were sent before: what has not changed since need not be read by us again to be sent. */
export class BlockDigestCache {
  /** By path, of its last state; the least recently used first. */
  readonly #files = new Map<string, KnownDigests>();
  #blocks = 0;

  /** For this state of a file. What does not fit is not kept. */
  of({ path, etag, size }: StorageEntry): BlockDigests | undefined {
    const blocks = Math.ceil(size / BLOCK_BYTES);
    if (blocks > MAX_BLOCKS) return undefined;
    const before = this.#take(path);
    const known = before?.etag === etag ? before : { etag, digests: new BigUint64Array(blocks) };
    this.#files.set(path, known);
    this.#blocks += costOf(known);
    this.#makeRoom();
    const { digests } = known;
    return {
      get: (offset) => digests[offset / BLOCK_BYTES] || undefined,
      set: (offset, digest) => {
        digests[offset / BLOCK_BYTES] = digest;
      },
    };
  }

  #makeRoom(): void {
    for (const path of this.#files.keys()) {
      if (this.#blocks <= MAX_BLOCKS) return;
      this.#take(path);
    }
  }

  #take(path: string): KnownDigests | undefined {
    const known = this.#files.get(path);
    if (known === undefined) return undefined;
    this.#files.delete(path);
    this.#blocks -= costOf(known);
    return known;
  }
}

function costOf({ digests }: KnownDigests): number {
  return digests.length + BLOCKS_PER_FILE;
}
