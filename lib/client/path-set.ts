import type { Digest64 } from "../block.ts";
import { CommError } from "../errors.ts";
import { MAX_PATH_BYTES } from "../path.ts";

/** So many entries a `get` takes from a server that it does not trust to come to an end. */
export const MAX_LISTED = 10_000_000;

const FIRST_SLOTS = 1_024;
const PREFIX_BYTES = 8;
const encoder = new TextEncoder();

/**
 * Paths, known by 64 bits of their digests: 9 to 19 bytes for each, however long it is. Two of ten million are taken for
 * one with a chance of one in 300,000; which two that were differs each time.
 */
export class PathSet {
  readonly #digest64: Digest64;
  readonly #scratch = new Uint8Array(PREFIX_BYTES + 4 * MAX_PATH_BYTES);
  readonly #seed: number;
  readonly #max: number;
  /** Two numbers for each; both 0: free. */
  #slots = new Uint32Array(2 * FIRST_SLOTS);
  #size = 0;

  constructor(digest64: Digest64, max = MAX_LISTED) {
    this.#digest64 = digest64;
    this.#max = max;
    const [seed = 0] = crypto.getRandomValues(new Uint32Array(1));
    this.#seed = seed;
    crypto.getRandomValues(this.#scratch.subarray(0, PREFIX_BYTES));
  }

  get size(): number {
    return this.#size;
  }

  /** Bytes of memory that it takes. */
  get bytes(): number {
    return this.#slots.byteLength + this.#scratch.byteLength;
  }

  /** @returns whether it was not in it @throws CommError TOO_MANY_ENTRIES above the most that it may hold */
  add(path: string): boolean {
    const { written } = encoder.encodeInto(path, this.#scratch.subarray(PREFIX_BYTES));
    const digest = this.#digest64(this.#scratch.subarray(0, PREFIX_BYTES + written), this.#seed);
    const high = Number(digest >> 32n);
    // Never both 0.
    const low = Number(digest & 0xffff_ffffn) || 1;
    const at = findSlot(this.#slots, high, low);
    if (this.#slots[at + 1] !== 0) return false;
    if (this.#size >= this.#max) throw tooManyEntries(this.#max);
    this.#slots[at] = high;
    this.#slots[at + 1] = low;
    // Seven of eight in use at most.
    if (++this.#size * 16 > this.#slots.length * 7) this.#grow();
    return true;
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Uint32Array(2 * before.length);
    for (let index = 0; index < before.length; index += 2) {
      const [high = 0, low = 0] = [before[index], before[index + 1]];
      if (low === 0) continue;
      const at = findSlot(this.#slots, high, low);
      this.#slots[at] = high;
      this.#slots[at + 1] = low;
    }
  }
}

/** Where it is, or the free slot where it belongs. */
function findSlot(slots: Uint32Array, high: number, low: number): number {
  // The size is a power of two.
  const mask = slots.length - 1;
  let at = (low * 2) & mask & ~1;
  while (slots[at + 1] !== 0 && (slots[at] !== high || slots[at + 1] !== low)) at = (at + 2) & mask;
  return at;
}

/** What ends a plan that has no end. */
export function tooManyEntries(max: number): CommError {
  return new CommError("TOO_MANY_ENTRIES", `The server lists more than ${max} entries for one get.`);
}
