import { CHUNK_HEADER_BYTES } from "../protocol/constants.ts";
import { SMALL_BYTES } from "./chunk-writer.ts";
import type { SpareBuffers } from "./spare-buffers.ts";

/** The buffers of a sender, for one chunk each: taken for the first file that needs them. */
export class Frames {
  /** How many are used in turn. */
  readonly count: 1 | 2;
  readonly #buffers: SpareBuffers;
  /** By slot, of which some may need none. */
  readonly #frames = new Map<number, Uint8Array>();
  /** The same for small chunks. */
  readonly #smallFrames = new Map<number, Uint8Array>();

  constructor(count: 1 | 2, buffers: SpareBuffers) {
    this.count = count;
    this.#buffers = buffers;
  }

  /** The buffer of this turn, with room for a header and `length` bytes. */
  at(turn: number, length: number): Uint8Array {
    const slot = turn % this.count;
    const isSmall = length <= SMALL_BYTES;
    const frames = isSmall ? this.#smallFrames : this.#frames;
    let frame = frames.get(slot);
    if (frame === undefined) {
      frame = isSmall ? new Uint8Array(CHUNK_HEADER_BYTES + SMALL_BYTES) : this.#buffers.take();
      frames.set(slot, frame);
    }
    return frame.subarray(0, CHUNK_HEADER_BYTES + length);
  }

  /** Give the buffers back. */
  close(): void {
    for (const frame of this.#frames.values()) this.#buffers.give(frame);
    this.#frames.clear();
  }
}
