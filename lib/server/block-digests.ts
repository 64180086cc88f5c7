import { LRUCache } from "lru-cache";
import { BLOCK_BYTES } from "../block.ts";
import type { StorageEntry } from "../storage/storage.ts";
import type { BlockDigests } from "../transfer/file-sender.ts";

/** The most digests that are kept, each for a megabyte of a file: 8 MB. */
const MAX_BLOCKS = 1_000_000;
/** The additional cost of a file, for its name and objects, counted in digests. */
const BLOCKS_PER_FILE = 64;

interface KnownDigests {
  /** Of the state of the file. */
  readonly etag: string;
  /** 0 is a digest that is not known. */
  readonly digests: BigUint64Array;
}

/** Digests of blocks that were sent before: the server need not read again what has not changed since. */
export class BlockDigestCache {
  /** By path, of its last state. */
  readonly #files = new LRUCache<string, KnownDigests>({
    maxSize: MAX_BLOCKS,
    sizeCalculation: ({ digests }) => digests.length + BLOCKS_PER_FILE,
  });

  /** The digests for this state of a file. Those that do not fit are not kept. */
  of({ path, etag, size }: StorageEntry): BlockDigests | undefined {
    const blocks = Math.ceil(size / BLOCK_BYTES);
    if (blocks > MAX_BLOCKS) return undefined;
    const before = this.#files.peek(path);
    const known = before?.etag === etag ? before : { etag, digests: new BigUint64Array(blocks) };
    this.#files.set(path, known);
    const { digests } = known;
    return {
      get: (offset) => digests[offset / BLOCK_BYTES] || undefined,
      set: (offset, digest) => {
        digests[offset / BLOCK_BYTES] = digest;
      },
    };
  }
}
