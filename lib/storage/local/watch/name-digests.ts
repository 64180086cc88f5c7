/** Marks a free slot. A name with this digest gets another one. */
const EMPTY = 0;
const MIN_SLOTS = 8;

/**
 * A set of names that keeps only 32-bit digests, in six to twelve bytes each. In a folder of a million names, one new
 * name in four thousand is mistaken for a known one.
 *
 * An open hash table with linear probing; a deletion moves later entries up (Knuth, TAOCP 6.4, algorithm R).
 */
export class NameDigests {
  #slots = new Int32Array(MIN_SLOTS);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  has(name: string): boolean {
    return this.#slots[this.#find(digestOf(name))] !== EMPTY;
  }

  add(name: string): void {
    const digest = digestOf(name);
    const at = this.#find(digest);
    if (this.#slots[at] === digest) return;
    this.#slots[at] = digest;
    this.#count++;
    if (this.#count * 4 > this.#slots.length * 3) this.#resize(this.#slots.length * 2);
  }

  /** @returns whether it was there */
  delete(name: string): boolean {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let hole = this.#find(digestOf(name));
    if (slots[hole] === EMPTY) return false;
    for (let at = (hole + 1) & mask; slots[at] !== EMPTY; at = (at + 1) & mask) {
      // An entry that could not be found beyond the hole moves into it.
      const home = (slots[at] as number) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      slots[hole] = slots[at] as number;
      hole = at;
    }
    slots[hole] = EMPTY;
    this.#count--;
    if (slots.length > MIN_SLOTS && this.#count * 8 < slots.length) this.#resize(slots.length / 2);
    return true;
  }

  /** The slot of the digest, or the free slot where it belongs. */
  #find(digest: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let at = digest & mask;
    while (slots[at] !== EMPTY && slots[at] !== digest) at = (at + 1) & mask;
    return at;
  }

  #resize(length: number): void {
    const before = this.#slots;
    this.#slots = new Int32Array(length);
    for (const digest of before) if (digest !== EMPTY) this.#slots[this.#find(digest)] = digest;
  }
}

function digestOf(name: string): number {
  return Bun.hash.xxHash32(name) | 0 || 1;
}
