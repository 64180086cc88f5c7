import { BLOCK_BYTES } from "../block.ts";

/** A few buffers of one block each, made when first needed, so that a stream's memory has a bound. */
export class BlockPool {
  readonly #free: Uint8Array[] = [];
  readonly #waiting: ((buffer: Uint8Array) => void)[] = [];
  #unmade: number;

  constructor(count: number) {
    this.#unmade = count;
  }

  /** A buffer of BLOCK_BYTES, when one is free; give it back. */
  take(): Promise<Uint8Array> | Uint8Array {
    const buffer = this.#free.pop();
    if (buffer !== undefined) return buffer;
    if (this.#unmade > 0) {
      this.#unmade--;
      return new Uint8Array(BLOCK_BYTES);
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  give(buffer: Uint8Array): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(buffer);
    else next(buffer);
  }
}
