import { SpareBuffers } from "./spare-buffers.ts";

/** A few buffers of one block each, taken when first needed, so that a stream's memory has a bound. */
export class BlockPool {
  readonly #buffers: SpareBuffers;
  readonly #free: Uint8Array[] = [];
  readonly #waiting: ((buffer: Uint8Array) => void)[] = [];
  #unmade: number;

  /** `buffers`: where they come from and go in the end; absent: they are made. */
  constructor(count: number, buffers: SpareBuffers = new SpareBuffers(0)) {
    this.#unmade = count;
    this.#buffers = buffers;
  }

  /** A buffer of BLOCK_BYTES at least, when one is free; give it back. */
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

  /** Nobody takes any more. A buffer that was not given back by now is not passed on. */
  close(): void {
    for (const buffer of this.#free.splice(0)) this.#buffers.give(buffer);
  }
}
