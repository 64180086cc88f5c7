import { hold, letGo } from "./held-buffers.ts";

/** Below this size a piece is copied after its predecessor instead of being kept by itself. */
const SMALL_BYTES = 4 * 1024;
const TAIL_BYTES = 16 * 1024;
/** The share of the unread bytes that may be kept in memory in addition to them. */
const SPARE_SHARE = 1 / 4;

/**
 * Bytes that have arrived and were not read yet. Large pieces are kept as they came. Small ones are gathered, so that a
 * peer that sends one byte a frame can't make the bookkeeping outweigh its credit. A piece is a view of all that
 * arrived with it: where that is much more than is unread, the piece is copied.
 */
export class ReceiveQueue {
  readonly #pieces: Uint8Array[] = [];
  /** For each piece the bytes that it keeps in memory, beyond those that earlier pieces keep. */
  readonly #kept: number[] = [];
  #unread = 0;
  #keptBytes = 0;
  /** Buffer after the last piece while that has room, and how much of it is used. */
  #tail: Uint8Array | undefined;
  #tailUsed = 0;
  /** Bytes that may be kept needlessly, however little is unread. */
  spareBytes: number;

  constructor(spareBytes: number) {
    this.spareBytes = spareBytes;
  }

  push(piece: Uint8Array): void {
    this.#unread += piece.length;
    if (piece.length >= SMALL_BYTES || this.#pieces.length === 0) {
      this.#tail = undefined;
      this.#keep(piece);
    } else if (this.#tail !== undefined && this.#tailUsed + piece.length <= this.#tail.length) {
      this.#tail.set(piece, this.#tailUsed);
      this.#tailUsed += piece.length;
      this.#pieces[this.#pieces.length - 1] = this.#tail.subarray(0, this.#tailUsed);
    } else {
      this.#tail = new Uint8Array(Math.max(SMALL_BYTES, Math.min(TAIL_BYTES, this.spareBytes)));
      this.#tail.set(piece);
      this.#tailUsed = piece.length;
      this.#add(this.#tail.subarray(0, piece.length), this.#tail.length);
    }
  }

  /** The oldest bytes, or undefined when there are none. The caller releases them. */
  shift(): Uint8Array | undefined {
    const piece = this.#pieces.shift();
    if (piece === undefined) return undefined;
    const kept = this.#kept.shift() ?? 0;
    const [next] = this.#pieces;
    this.#unread -= piece.length;
    // The next piece of the same buffer keeps it now.
    if (next !== undefined && next.buffer === piece.buffer) this.#kept[0] = kept;
    else this.#keptBytes -= kept;
    if (next === undefined) this.#tail = undefined;
    return piece;
  }

  clear(): void {
    for (const piece of this.#pieces) letGo(piece);
    this.#pieces.length = 0;
    this.#kept.length = 0;
    this.#unread = 0;
    this.#keptBytes = 0;
    this.#tail = undefined;
  }

  #keep(piece: Uint8Array): void {
    const { buffer } = piece;
    const more = this.#pieces.at(-1)?.buffer === buffer ? 0 : buffer.byteLength;
    const most = this.#unread * (1 + SPARE_SHARE) + this.spareBytes;
    if (this.#keptBytes + more <= most) this.#add(piece, more);
    else this.#add(new Uint8Array(piece), piece.length);
  }

  #add(piece: Uint8Array, kept: number): void {
    hold(piece);
    this.#pieces.push(piece);
    this.#kept.push(kept);
    this.#keptBytes += kept;
  }
}
