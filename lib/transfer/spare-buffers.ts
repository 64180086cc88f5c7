import { CHUNK_BYTES } from "../protocol/chunk.ts";
import { discard } from "../session/held-buffers.ts";

/**
 * Buffers of CHUNK_BYTES, room for a block and its header, that transfers use one after the other: a new one for each
 * would lie about until the collector comes. What is in them is anybody's.
 */
export class SpareBuffers {
  readonly #max: number;
  readonly #free: Uint8Array[] = [];

  /** `max`: how many are kept while nobody needs them. */
  constructor(max: number) {
    this.#max = max;
  }

  take(): Uint8Array {
    return this.#free.pop() ?? new Uint8Array(CHUNK_BYTES);
  }

  /** Nobody reads it or writes into it any more. What is not kept is free at once, and not when the collector comes. */
  give(buffer: Uint8Array): void {
    if (this.#free.length < this.#max) this.#free.push(buffer);
    else discard(buffer);
  }
}
