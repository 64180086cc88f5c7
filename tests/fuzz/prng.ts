/** Numbers that a seed repeats, on every machine: the same seed gives the same cases. (mulberry32, as tests/support/random.ts) */
export class Prng {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** The numbers of one case: they depend on nothing but these three. */
  static of(seed: number, target: string, number: number): Prng {
    return new Prng(Number(Bun.hash.xxHash32(`${seed} ${target} ${number}`)));
  }

  /** From 0 to 1, without 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number below `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number {
    return min + this.below(max - min + 1);
  }

  /** True in `share` of all cases. */
  chance(share: number): boolean {
    return this.next() < share;
  }

  /** One of `items`, of which there must be one. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }

  /** Up to `count` places in `length` bytes, in rising order. */
  places(count: number, length: number): number[] {
    return Array.from({ length: this.below(count + 1) }, () => this.below(length)).sort((a, b) => a - b);
  }
}
