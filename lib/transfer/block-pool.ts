import { SpareBuffers } from "./spare-buffers.ts";

/** A few buffers of one block each, allocated when first needed, so that a stream's memory is bounded. */
export class BlockPool {
  readonly #buffers: SpareBuffers;
  readonly #free: Uint8Array[] = [];
  readonly #waiting: ((buffer: Uint8Array) => void)[] = [];
  #unmade: number;

  /** `buffers`: their source, and where they go in the end; absent: they are allocated. */
  constructor(count: number, buffers: SpareBuffers = new SpareBuffers(0)) {
    this.#unmade = count;
    this.#buffers = buffers;
  }

  /** A buffer of at least BLOCK_BYTES, as soon as one is free; the caller gives it back. */
  take(): Promise<Uint8Array> | Uint8Array {
    const buffer = this.#free.pop();
    if (buffer !== undefined) return buffer;
    if (this.#unmade > 0) {
      this.#unmade--;
      return this.#buffers.take();
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  give(buffer: Uint8Array): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(buffer);
    else next(buffer);
  }

  /** Call when no buffer is needed any more. Buffers that have not been given back are not reused. */
  close(): void {
    for (const buffer of this.#free.splice(0)) this.#buffers.give(buffer);
  }
}
