/** Below this size a piece is copied behind its predecessor instead of being kept by itself. */
const SMALL_BYTES = 4 * 1024;
const TAIL_BYTES = 16 * 1024;
/** Times its own size that a piece may keep in memory. */
const MAX_PINNED = 4;

/**
 * Bytes that have arrived and were not read yet. Large pieces are kept as they came. Small ones are
 * gathered, so that a peer that sends one byte a frame can't make the bookkeeping outweigh its credit.
 */
export class ReceiveQueue {
  readonly #pieces: Uint8Array[] = [];
  /** Buffer behind the last piece while that has room, and how much of it is used. */
  #tail: Uint8Array | undefined;
  #tailUsed = 0;

  push(piece: Uint8Array): void {
    if (piece.length >= SMALL_BYTES || this.#pieces.length === 0) {
      this.#tail = undefined;
      this.#pieces.push(unpinned(piece));
    } else if (this.#tail !== undefined && this.#tailUsed + piece.length <= TAIL_BYTES) {
      this.#tail.set(piece, this.#tailUsed);
      this.#tailUsed += piece.length;
      this.#pieces[this.#pieces.length - 1] = this.#tail.subarray(0, this.#tailUsed);
    } else {
      this.#tail = new Uint8Array(TAIL_BYTES);
      this.#tail.set(piece);
      this.#tailUsed = piece.length;
      this.#pieces.push(this.#tail.subarray(0, piece.length));
    }
  }

  /** The oldest bytes, or undefined when there are none. They belong to the caller. */
  shift(): Uint8Array | undefined {
    const piece = this.#pieces.shift();
    if (this.#pieces.length === 0) this.#tail = undefined;
    return piece;
  }

  clear(): void {
    this.#pieces.length = 0;
    this.#tail = undefined;
  }
}

/** The piece, or a copy where it is a small view of much that would stay in memory with it. */
function unpinned(piece: Uint8Array): Uint8Array {
  return piece.length * MAX_PINNED < piece.buffer.byteLength ? new Uint8Array(piece) : piece;
}
