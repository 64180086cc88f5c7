import { CHUNK_BYTES } from "../protocol/chunk.ts";
import { discard } from "../session/held-buffers.ts";

/**
 * Buffers of CHUNK_BYTES, room for a block and its header, that transfers reuse: a new one each time would take memory
 * until the garbage collector runs. Their contents are undefined.
 */
export class SpareBuffers {
  readonly #max: number;
  readonly #free: Uint8Array[] = [];

  /** `max`: the most unused buffers that are kept. */
  constructor(max: number) {
    this.#max = max;
  }

  take(): Uint8Array {
    return this.#free.pop() ?? new Uint8Array(CHUNK_BYTES);
  }

  /**
   * Give back a buffer that nobody reads or writes any more. One that is not kept is freed at once, without the
   * collector.
   */
  give(buffer: Uint8Array): void {
    if (this.#free.length < this.#max) this.#free.push(buffer);
    else discard(buffer);
  }
}
