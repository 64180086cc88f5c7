import { BLOCK_BYTES, type Range } from "../block.ts";
import { ProtocolError } from "../errors.ts";
import { quote } from "../quote.ts";
import type { PartFile } from "../storage/storage.ts";
import type { Chunk } from "./chunk-reader.ts";
import { countRepair } from "./repair.ts";

/** Takes the blocks of one file, in any order, into its part. Nothing but verified blocks is written. */
export class FileReceiver {
  readonly part: PartFile;
  readonly #onProgress: ((bytes: number) => void) | undefined;
  /** Writes under way. */
  readonly #writes = new Set<Promise<void>>();
  #repairs = 0;
  #failure: unknown;

  /** `onProgress` is told the bytes of each block that is in the part now. */
  constructor(part: PartFile, onProgress?: (bytes: number) => void) {
    this.part = part;
    this.#onProgress = onProgress;
  }

  /**
   * Take a block, whose buffer is given back when it is written. Does not wait for that: the number of buffers is
   * what holds a quick sender back. A damaged one is dropped, and so still missing at the end.
   *
   * @returns what to wait for before the next, when nothing else holds it back: the block is in no buffer of a pool
   * @throws ProtocolError BAD_PAYLOAD when it is no block of this file; StorageError that an earlier write met
   */
  take(chunk: Chunk): Promise<void> | undefined {
    const { offset, payload } = chunk;
    const { size } = this.part.facts;
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
   * The sender says that it has sent everything: wait until it is written.
   *
   * @returns what is missing all the same, to be asked for again
   * @throws StreamError DIGEST_MISMATCH when that has happened too often; StorageError that a write met
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
