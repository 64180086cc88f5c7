import { type Digest64, seedOf } from "../block.ts";
import { ChunkKind, encodeChunkHeader } from "../protocol/chunk.ts";
import { CHUNK_HEADER_BYTES } from "../protocol/constants.ts";
import { encodeJson } from "../protocol/json.ts";
import type { Clock } from "../session/clock.ts";
import type { Stream } from "../session/stream.ts";
import type { FileSource } from "../storage/storage.ts";

const BATCH_BYTES = 128 * 1024;
const EMPTY = new Uint8Array(0);

/**
 * Writes chunks into the body of a transfer. Small ones are gathered, so that ten thousand small files are not
 * thirty thousand frames; what was gathered leaves when it is much, or at the next turn of the event loop, but then only
 * when what left before has been taken: a peer that takes nothing makes us keep two batches, however long it goes on.
 */
export class ChunkWriter {
  readonly #stream: Pick<Stream, "write" | "writeFile" | "canSendFiles" | "isClosed">;
  readonly #digest64: Digest64;
  readonly #clock: Pick<Clock, "turn">;
  #batch: Uint8Array = EMPTY;
  #filled = 0;
  /** Batches on their way, and the buffer of one that has left. */
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

  /** @returns what to wait for before the next, when there is no room for it: then it rejects as Stream.write() */
  json(kind: ChunkKind, id: number, value: unknown): Promise<void> | undefined {
    return this.#add(kind, id, 0, encodeJson(value));
  }

  /** All of the file was sent, and it is still what it was. @returns as json() */
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
   * A block, uncopied: it stands in `frame` after CHUNK_HEADER_BYTES of room for the header. Resolves when it has
   * left and the buffer is free again.
   *
   * @throws as Stream.write()
   */
  async block(id: number, offset: number, frame: Uint8Array, digest: bigint): Promise<void> {
    const length = frame.length - CHUNK_HEADER_BYTES;
    encodeChunkHeader(frame, 0, { kind: ChunkKind.BLOCK, length, id, offset, digest }, this.#digest64);
    await allOf([this.flush(), this.#stream.write(frame)]);
  }

  /** Nobody takes any more. */
  get isClosed(): boolean {
    return this.#stream.isClosed;
  }

  /** Whether fileBlock() can be used. */
  get canSendFiles(): boolean {
    return this.#stream.canSendFiles;
  }

  /** A block of a file whose digest is known, sent by the system itself. @throws as Stream.write() */
  async fileBlock(id: number, offset: number, source: FileSource, digest: bigint): Promise<void> {
    const header = new Uint8Array(CHUNK_HEADER_BYTES);
    encodeChunkHeader(header, 0, { kind: ChunkKind.BLOCK, length: source.length, id, offset, digest }, this.#digest64);
    await allOf([this.flush(), this.#stream.write(header), this.#stream.writeFile(source)]);
  }

  /** Send what was gathered. @throws as Stream.write() */
  flush(): Promise<void> {
    if (this.#filled === 0) return Promise.resolve();
    return this.#send(this.#batch, this.#filled);
  }

  async #send(batch: Uint8Array, length: number): Promise<void> {
    // The stream has it now; the next one is gathered elsewhere.
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
    // Taken by the stream in order at once; the wait is for its credit.
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

/** As Promise.all(), but a failure is told when all have ended: not before are their buffers free. */
async function allOf(writes: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(writes)) if (outcome.status === "rejected") throw outcome.reason;
}
