import { BLOCK_BYTES, type Digest64, seedOf } from "../block.ts";
import type { PartFile } from "../storage/storage.ts";
import type { SpareBuffers } from "./spare-buffers.ts";

export interface BlockWriterOptions {
  /** Blocks in memory at once: one that is filled, the others while they are written. */
  readonly blocks: number;
  readonly buffers: SpareBuffers;
  readonly digest64: Digest64;
}

/** Writes a file that comes from its beginning to its end. */
export class BlockWriter {
  readonly #part: PartFile;
  readonly #options: BlockWriterOptions;
  readonly #buffers: Uint8Array[];
  /** The last write of each buffer. */
  readonly #writes: Promise<unknown>[] = [];

  constructor(part: PartFile, options: BlockWriterOptions) {
    this.#part = part;
    this.#options = options;
    this.#buffers = Array.from({ length: options.blocks }, () => options.buffers.take());
  }

  /**
   * Take the bytes from `offset`, where a block begins, to the end of the file, or until `fill` returns false: it has not
   * filled its buffer to the end.
   *
   * @throws as PartFile.write(); what `fill` throws
   */
  async run(offset: number, fill: (buffer: Uint8Array) => Promise<boolean>): Promise<void> {
    const { size } = this.#part.facts;
    for (let at = offset, turn = 0; at < size; at += BLOCK_BYTES, turn = (turn + 1) % this.#buffers.length) {
      await this.#writes[turn];
      const block = (this.#buffers[turn] as Uint8Array).subarray(0, Math.min(BLOCK_BYTES, size - at));
      if (!(await fill(block))) break;
      const write = this.#part.write(at, block, this.#options.digest64(block, seedOf(at)));
      write.catch(() => {}); // awaited before its buffer is used again
      this.#writes[turn] = write;
    }
    await Promise.all(this.#writes);
  }

  /** Resolves when no write is under way. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#writes);
    for (const buffer of this.#buffers.splice(0)) this.#options.buffers.give(buffer);
  }
}
