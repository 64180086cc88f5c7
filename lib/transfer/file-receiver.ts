import { BLOCK_BYTES, type Range } from "../block.ts";
import { ProtocolError } from "../errors.ts";
import { quote } from "../quote.ts";
import type { PartFile } from "../storage/storage.ts";
import type { Chunk } from "./chunk-reader.ts";
import { countRepair } from "./repair.ts";

/** Writes the blocks of one file, in any order, into its part. Only verified blocks are written. */
export class FileReceiver {
  readonly part: PartFile;
  readonly #onProgress: ((bytes: number) => void) | undefined;
  /** Writes under way. */
  readonly #writes = new Set<Promise<void>>();
  #repairs = 0;
  #failure: unknown;

  /** `onProgress` gets the size of each block that was written into the part, in bytes. */
  constructor(part: PartFile, onProgress?: (bytes: number) => void) {
    this.part = part;
    this.#onProgress = onProgress;
  }

  /**
   * Take a block, whose buffer is given back when it is written. Does not wait for that: the number of buffers limits a
   * fast sender. A damaged block is dropped, and so still missing at the end.
   *
   * @returns for a block outside the pool, which nothing else limits, a promise to wait for before the next block
   * @throws ProtocolError BAD_PAYLOAD when it is not a block of this file; StorageError of an earlier write
   */
  take(chunk: Chunk): Promise<void> | undefined {
    const { offset, payload } = chunk;
    const { size } = this.part.facts;
    // "A receiver MUST answer a BLOCK that is outside its file, or not as long as that block, with RESET and
    // BAD_PAYLOAD, whatever its digest." (PROTOCOL.md, "Chunks")
    const fits = payload.length === Math.min(BLOCK_BYTES, size - offset);
    if (this.#failure !== undefined || !fits || !chunk.intact) {
      chunk.release();
      if (this.#failure !== undefined) throw this.#failure;
      if (fits) return undefined;
      throw new ProtocolError(
        "BAD_PAYLOAD",
        `${quote(this.part.path)} has no block of ${payload.length} bytes at ${offset}.`,
      );
    }
    const write = this.#write(chunk).finally(() => this.#writes.delete(write));
    this.#writes.add(write);
    return chunk.isLent ? undefined : write;
  }

  async #write(chunk: Chunk): Promise<void> {
    try {
      const isNew = await this.part.write(chunk.offset, chunk.payload, chunk.digest);
      if (isNew) this.#onProgress?.(chunk.payload.length);
    } catch (thrown) {
      this.#failure ??= thrown;
    } finally {
      chunk.release();
    }
  }

  /**
   * The sender has sent everything: wait until it is written.
   *
   * @returns the ranges that are still missing, to be requested again
   * @throws StreamError DIGEST_MISMATCH when that has happened too often; StorageError of a write
   */
  async sealed(): Promise<readonly Range[]> {
    await this.settle();
    if (this.#failure !== undefined) throw this.#failure;
    const { missing } = this.part;
    if (missing.length > 0) this.#repairs = countRepair(this.#repairs, this.part.path);
    return missing;
  }

  /** Resolves when no write is under way. */
  async settle(): Promise<void> {
    while (this.#writes.size > 0) await Promise.all(this.#writes);
  }
}
