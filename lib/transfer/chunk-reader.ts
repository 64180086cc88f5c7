import { type Digest64, seedOf } from "../block.ts";
import { ProtocolError, StreamError } from "../errors.ts";
import { type ChunkHeader, ChunkKind, decodeChunkHeader, isOfBlock } from "../protocol/chunk.ts";
import { CHUNK_HEADER_BYTES } from "../protocol/constants.ts";
import type { Stream } from "../session/stream.ts";
import type { BlockPool } from "./block-pool.ts";

export interface Chunk extends ChunkHeader {
  /** Valid until release(). */
  readonly payload: Uint8Array;
  /** A PATCH has room for its whole block, which begins where the payload does. Of other chunks, this is the payload. */
  readonly room: Uint8Array;
  /** False when the payload does not match its digest; only a block or a patch can be damaged so, and must not be used. */
  readonly intact: boolean;
  /** True when the payload is in a pooled buffer; otherwise it becomes invalid when the reader waits for more bytes. */
  readonly isLent: boolean;
  /** Give the payload's buffer back. Call it once. */
  release(): void;
}

const NOTHING = () => {};
const EMPTY = new Uint8Array(0);

/** Cuts the body of a transfer into chunks and checks their digests. Source: PROTOCOL.md, "Chunks". */
export class ChunkReader {
  readonly #stream: Pick<Stream, "read">;
  readonly #pool: BlockPool;
  readonly #digest64: Digest64;
  /** The piece that has arrived; it is unread from #position on. */
  #piece: Uint8Array = EMPTY;
  #position = 0;

  constructor(stream: Pick<Stream, "read">, pool: BlockPool, digest64: Digest64) {
    this.#stream = stream;
    this.#pool = pool;
    this.#digest64 = digest64;
  }

  /**
   * The next chunk if it has arrived completely: small ones come by hundreds, and waiting for each would cost more than
   * the work on it. undefined: call next().
   *
   * @throws as next()
   */
  take(): Chunk | undefined {
    const piece = this.#piece;
    const start = this.#position + CHUNK_HEADER_BYTES;
    if (start > piece.length) return undefined;
    const header = decodeChunkHeader(piece, this.#position, this.#digest64);
    const end = start + header.length;
    if (end > piece.length || header.kind === ChunkKind.PATCH) return undefined;
    this.#position = end;
    return this.#checked(header, { room: piece.subarray(start, end), release: NOTHING });
  }

  /**
   * The next chunk, undefined at the end of the body.
   *
   * @throws ProtocolError BAD_PAYLOAD; StreamError DIGEST_MISMATCH for a damaged header, or a damaged chunk that is not
   * a block; as Stream.read()
   */
  async next(): Promise<Chunk | undefined> {
    if (this.#position === this.#piece.length && !(await this.#more())) return undefined;
    const header = await this.#header();
    return this.#checked(header, await this.#payload(header));
  }

  #checked(header: ChunkHeader, { room, release }: Pick<Chunk, "room" | "release">): Chunk {
    const { kind, length, id, offset, digest } = header;
    const payload = room.subarray(0, length);
    const intact = this.#digest64(payload, seedOf(offset)) === digest;
    // "A receiver MUST answer a chunk other than BLOCK and PATCH whose digest is wrong with RESET and DIGEST_MISMATCH."
    // (PROTOCOL.md, "Chunks")
    if (!intact && !isOfBlock(kind)) {
      throw new StreamError("DIGEST_MISMATCH", "The description of a file was damaged on the way.");
    }
    return { kind, length, id, offset, digest, payload, room, intact, isLent: release !== NOTHING, release };
  }

  async #header(): Promise<ChunkHeader> {
    if (this.#piece.length - this.#position >= CHUNK_HEADER_BYTES) {
      const header = decodeChunkHeader(this.#piece, this.#position, this.#digest64);
      this.#position += CHUNK_HEADER_BYTES;
      return header;
    }
    const bytes = new Uint8Array(CHUNK_HEADER_BYTES);
    await this.#fill(bytes);
    return decodeChunkHeader(bytes, 0, this.#digest64);
  }

  /** A view of a payload that came in one piece; a copy in a buffer of the pool otherwise, and of a PATCH. */
  async #payload({ kind, length }: ChunkHeader): Promise<Pick<Chunk, "room" | "release">> {
    if (this.#position === this.#piece.length && length > 0 && !(await this.#more())) throw cutOff();
    if (this.#piece.length - this.#position >= length && kind !== ChunkKind.PATCH) {
      const room = this.#piece.subarray(this.#position, this.#position + length);
      this.#position += length;
      return { room, release: NOTHING };
    }
    const room = await this.#pool.take();
    const release = () => this.#pool.give(room);
    try {
      await this.#fill(room.subarray(0, length));
    } catch (thrown) {
      release();
      throw thrown;
    }
    return { room, release };
  }

  async #fill(target: Uint8Array): Promise<void> {
    let filled = 0;
    while (filled < target.length) {
      if (this.#position === this.#piece.length && !(await this.#more())) throw cutOff();
      const length = Math.min(target.length - filled, this.#piece.length - this.#position);
      target.set(this.#piece.subarray(this.#position, this.#position + length), filled);
      this.#position += length;
      filled += length;
    }
  }

  async #more(): Promise<boolean> {
    // The piece is used up: don't keep it in memory while waiting for the next one.
    this.#piece = EMPTY;
    this.#position = 0;
    const piece = await this.#stream.read();
    if (piece === undefined) return false;
    this.#piece = piece;
    return true;
  }
}

function cutOff(): ProtocolError {
  return new ProtocolError("BAD_PAYLOAD", "The body of a transfer is cut off.");
}
