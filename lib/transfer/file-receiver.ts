import { BLOCK_BYTES, type Range } from "../block.ts";
import { ProtocolError } from "../errors.ts";
import { ChunkKind } from "../protocol/chunk.ts";
import { decodePatch, type Patch, pieceBytes } from "../protocol/patch.ts";
import { quote } from "../quote.ts";
import type { PartFile } from "../storage/storage.ts";
import type { Basis } from "./basis.ts";
import type { Chunk } from "./chunk-reader.ts";
import { countRepair } from "./repair.ts";

/** Writes the blocks of one file, in any order, into its part. Only verified blocks are written. */
export class FileReceiver {
  readonly part: PartFile;
  /** The older state whose pieces were offered; the owner closes it when nothing is being written. */
  basis: Basis | undefined;
  readonly #onProgress: ((bytes: number, reused: number) => void) | undefined;
  /** Writes under way. */
  readonly #writes = new Set<Promise<void>>();
  #repairs = 0;
  #failure: unknown;

  /**
   * `onProgress` gets the size of each block that was written into the part, in bytes, and how many of them were in the
   * older state.
   */
  constructor(part: PartFile, onProgress?: (bytes: number, reused: number) => void) {
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
    try {
      if (this.#failure !== undefined) throw this.#failure;
      const work = this.#judge(chunk);
      if (work === undefined) {
        chunk.release();
        return undefined;
      }
      const write = work.finally(() => this.#writes.delete(write));
      this.#writes.add(write);
      return chunk.isLent ? undefined : write;
    } catch (thrown) {
      chunk.release();
      throw thrown;
    }
  }

  /** @returns the writing of the chunk; undefined: it is dropped @throws ProtocolError */
  #judge(chunk: Chunk): Promise<void> | undefined {
    const { kind, offset, payload, intact } = chunk;
    const length = Math.min(BLOCK_BYTES, this.part.facts.size - offset);
    if (kind === ChunkKind.PATCH) {
      // "A receiver MUST answer a PATCH of a file of which it has offered nothing with RESET and BAD_PAYLOAD."
      // (PROTOCOL.md, "Patches")
      const { basis } = this;
      if (basis === undefined || length <= 0) throw this.#badChunk("patch", chunk);
      if (!intact || !basis.expects(offset)) return undefined;
      const patch = decodePatch(payload, length);
      if (patch === undefined) throw this.#badChunk("patch", chunk);
      return this.#complete(chunk, length, patch, basis);
    }
    // "A receiver MUST answer a BLOCK that is outside its file, or not as long as that block, with RESET and
    // BAD_PAYLOAD, whatever its digest." (PROTOCOL.md, "Chunks")
    if (payload.length !== length) throw this.#badChunk("block", chunk);
    return intact ? this.#write(chunk, payload, chunk.digest, 0) : undefined;
  }

  #badChunk(what: string, { payload, offset }: Chunk): ProtocolError {
    const words = `${quote(this.part.path)} has no ${what} of ${payload.length} bytes at ${offset}.`;
    return new ProtocolError("BAD_PAYLOAD", words);
  }

  /** Put the block together, and write it if it is what was sent. */
  async #complete(chunk: Chunk, length: number, patch: Patch, basis: Basis): Promise<void> {
    const block = chunk.room.subarray(0, length);
    const come = patch.pieces.reduce((sum, piece) => sum + pieceBytes(piece, length), 0);
    const digest = await basis.complete(block, chunk.offset, patch);
    if (digest === undefined) chunk.release();
    else await this.#write(chunk, block, digest, length - come);
  }

  async #write(chunk: Chunk, block: Uint8Array, digest: bigint, reused: number): Promise<void> {
    try {
      const isNew = await this.part.write(chunk.offset, block, digest);
      if (isNew) this.#onProgress?.(block.length, reused);
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
