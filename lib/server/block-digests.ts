import { LRUCache } from "lru-cache";
import { BLOCK_BYTES } from "../block.ts";
import type { StorageEntry } from "../storage/storage.ts";
import type { BlockDigests } from "../transfer/file-sender.ts";

/** The most digests that are kept, each for a megabyte of a file: 8 MB. */
const MAX_BLOCKS = 1_000_000;
/** The additional cost of a file, for its name and objects, counted in digests. */
const BLOCKS_PER_FILE = 64;

interface KnownDigests {
  /** The etag of that state of the file. */
  readonly etag: string;
  /** 0 stands for an unknown digest. */
  readonly digests: BigUint64Array;
}

/** Digests of blocks that were sent before, so that the server need not read unchanged blocks again. */
export class BlockDigestCache {
  /** By path, for the file's last state. */
  readonly #files = new LRUCache<string, KnownDigests>({
    maxSize: MAX_BLOCKS,
    sizeCalculation: ({ digests }) => digests.length + BLOCKS_PER_FILE,
  });

  /** The digests for this state of a file. Digests that do not fit the cache are not kept. */
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
