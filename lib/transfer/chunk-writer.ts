import { type Digest64, seedOf } from "../block.ts";
import { ChunkKind, encodeChunkHeader } from "../protocol/chunk.ts";
import { CHUNK_HEADER_BYTES } from "../protocol/constants.ts";
import { encodeJson } from "../protocol/json.ts";
import type { Clock } from "../session/clock.ts";
import type { Stream } from "../session/stream.ts";
import type { FileSource } from "../storage/storage.ts";

/** Blocks up to this size are copied into a batch, which is cheaper than a frame of their own. */
export const SMALL_BYTES = 64 * 1024;

const BATCH_BYTES = 128 * 1024;
const EMPTY = new Uint8Array(0);

/**
 * Writes chunks into the body of a transfer. Small ones are gathered, so that ten thousand small files do not become
 * thirty thousand frames. A batch is sent when it is full, or at the next turn of the event loop if the batch before
 * has been sent: a peer that does not read makes us keep at most two batches.
 */
export class ChunkWriter {
  readonly #stream: Pick<Stream, "write" | "writeFile" | "canSendFiles" | "isClosed">;
  readonly #digest64: Digest64;
  readonly #clock: Pick<Clock, "turn">;
  #batch: Uint8Array = EMPTY;
  #filled = 0;
  /** Batches on their way, and the buffer of one that was sent. */
  #unsent = 0;
  #spare: Uint8Array = EMPTY;
  #scheduled = false;

  constructor(
    stream: Pick<Stream, "write" | "writeFile" | "canSendFiles" | "isClosed">,
    digest64: Digest64,
    clock: Pick<Clock, "turn">,
  ) {
    this.#stream = stream;
    this.#digest64 = digest64;
    this.#clock = clock;
  }

  /**
   * @returns undefined: there is room for the next chunk; otherwise a promise to wait for, which rejects as
   * Stream.write()
   */
  json(kind: ChunkKind, id: number, value: unknown): Promise<void> | undefined {
    return this.#add(kind, id, 0, encodeJson(value));
  }

  /** Say that all of the file was sent, and that it has not changed. @returns as json() */
  seal(id: number): Promise<void> | undefined {
    return this.#add(ChunkKind.SEAL, id, 0, EMPTY);
  }

  /** A block that is small enough to be copied. @returns as json() */
  smallBlock(id: number, offset: number, bytes: Uint8Array): Promise<void> | undefined {
    return this.#add(ChunkKind.BLOCK, id, offset, bytes);
  }

  /** The digest of a block. */
  digest(bytes: Uint8Array, offset: number): bigint {
    return this.#digest64(bytes, seedOf(offset));
  }

  /**
   * Send a block that is in `frame` after CHUNK_HEADER_BYTES of room for the header; one above SMALL_BYTES without
   * copying it. Resolves when the buffer is free again.
   *
   * @throws as Stream.write()
   */
  block(id: number, offset: number, frame: Uint8Array, digest: bigint): Promise<void> {
    return this.#frame(ChunkKind.BLOCK, id, offset, frame, digest);
  }

  /** Send a patch as block() sends a block. @throws as Stream.write() */
  patch(id: number, offset: number, frame: Uint8Array): Promise<void> {
    return this.#frame(ChunkKind.PATCH, id, offset, frame, this.digest(frame.subarray(CHUNK_HEADER_BYTES), offset));
  }

  async #frame(kind: ChunkKind, id: number, offset: number, frame: Uint8Array, digest: bigint): Promise<void> {
    const payload = frame.subarray(CHUNK_HEADER_BYTES);
    if (payload.length <= SMALL_BYTES) return this.#add(kind, id, offset, payload);
    encodeChunkHeader(frame, 0, { kind, length: payload.length, id, offset, digest }, this.#digest64);
    await allOf([this.flush(), this.#stream.write(frame)]);
  }

  /** True when the stream takes nothing more. */
  get isClosed(): boolean {
    return this.#stream.isClosed;
  }

  /** Whether fileBlock() can be used. */
  get canSendFiles(): boolean {
    return this.#stream.canSendFiles;
  }

  /** Let the system send a block of a file whose digest is known. @throws as Stream.write() */
  async fileBlock(id: number, offset: number, source: FileSource, digest: bigint): Promise<void> {
    const header = new Uint8Array(CHUNK_HEADER_BYTES);
    encodeChunkHeader(header, 0, { kind: ChunkKind.BLOCK, length: source.length, id, offset, digest }, this.#digest64);
    await allOf([this.flush(), this.#stream.write(header), this.#stream.writeFile(source)]);
  }

  /** Send the gathered chunks. @throws as Stream.write() */
  flush(): Promise<void> {
    if (this.#filled === 0) return Promise.resolve();
    return this.#send(this.#batch, this.#filled);
  }

  async #send(batch: Uint8Array, length: number): Promise<void> {
    // The stream owns this buffer now; the next batch is gathered in another one.
    this.#batch = this.#spare;
    this.#spare = EMPTY;
    this.#filled = 0;
    this.#unsent++;
    try {
      await this.#stream.write(batch.subarray(0, length));
    } finally {
      this.#unsent--;
    }
    this.#spare = batch;
    if (this.#filled > 0) this.#scheduleFlush();
  }

  #add(kind: ChunkKind, id: number, offset: number, payload: Uint8Array): Promise<void> | undefined {
    const bytes = CHUNK_HEADER_BYTES + payload.length;
    // The stream queues it at once, in order; the promise waits for credit.
    const flushed = this.#filled + bytes > this.#batch.length && this.#filled > 0 ? this.flush() : undefined;
    if (this.#filled + bytes > this.#batch.length) this.#batch = new Uint8Array(Math.max(BATCH_BYTES, bytes));
    const digest = this.#digest64(payload, seedOf(offset));
    encodeChunkHeader(this.#batch, this.#filled, { kind, length: payload.length, id, offset, digest }, this.#digest64);
    this.#batch.set(payload, this.#filled + CHUNK_HEADER_BYTES);
    this.#filled += bytes;
    this.#scheduleFlush();
    return flushed;
  }

  #scheduleFlush(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    void this.#clock.turn().then(() => {
      this.#scheduled = false;
      // The next write, or the end of the body, meets the same failure.
      if (this.#unsent === 0) this.flush().catch(() => {});
    });
  }
}

/** As Promise.all(), but rejects only when all have ended: until then their buffers are in use. */
async function allOf(writes: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(writes)) if (outcome.status === "rejected") throw outcome.reason;
}
