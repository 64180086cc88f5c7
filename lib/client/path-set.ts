import type { Digest64 } from "../block.ts";
import { CommError } from "../errors.ts";
import { MAX_PATH_BYTES } from "../path.ts";

/** The most entries that a `get` accepts: a server might list for ever. */
export const MAX_LISTED = 10_000_000;

const FIRST_SLOTS = 1_024;
const PREFIX_BYTES = 8;
const encoder = new TextEncoder();

/**
 * A set of paths, stored as 64 bits of their digests: 9 to 19 bytes each, whatever their length. Among ten million, two
 * are confused with a probability of one in 300,000; which two differs each time.
 */
export class PathSet {
  readonly #digest64: Digest64;
  readonly #scratch = new Uint8Array(PREFIX_BYTES + 4 * MAX_PATH_BYTES);
  readonly #seed: number;
  readonly #max: number;
  /** Two numbers for each path; both 0: a free slot. */
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

  /** Memory used, in bytes. */
  get bytes(): number {
    return this.#slots.byteLength + this.#scratch.byteLength;
  }

  /** @returns true when the path is new @throws CommError TOO_MANY_ENTRIES above the most that the set may hold */
  add(path: string): boolean {
    const { written } = encoder.encodeInto(path, this.#scratch.subarray(PREFIX_BYTES));
    const digest = this.#digest64(this.#scratch.subarray(0, PREFIX_BYTES + written), this.#seed);
    const high = Number(digest >> 32n);
    // Both numbers are never 0.
    const low = Number(digest & 0xffff_ffffn) || 1;
    const at = findSlot(this.#slots, high, low);
    if (this.#slots[at + 1] !== 0) return false;
    if (this.#size >= this.#max) throw tooManyEntries(this.#max);
    this.#slots[at] = high;
    this.#slots[at + 1] = low;
    // At most seven of eight slots are in use.
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

/** The slot of a path, or the free slot where it belongs. */
function findSlot(slots: Uint32Array, high: number, low: number): number {
  // The size is a power of two.
  const mask = slots.length - 1;
  let at = (low * 2) & mask & ~1;
  while (slots[at + 1] !== 0 && (slots[at] !== high || slots[at + 1] !== low)) at = (at + 2) & mask;
  return at;
}

/** The error that ends an endless plan. */
export function tooManyEntries(max: number): CommError {
  return new CommError("TOO_MANY_ENTRIES", `The server lists more than ${max} entries for one get.`);
}
