/** Reproducible random numbers: the seed is printed, and taken from COMMSERVER_SEED if that is set. */
export class Random {
  readonly seed: number;
  #state: number;

  constructor(what: string) {
    const given = process.env["COMMSERVER_SEED"];
    this.seed = given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given);
    this.#state = this.seed;
    console.log(`${what}: COMMSERVER_SEED=${this.seed}`);
  }

  /** A number from 0 to below 1 (mulberry32). */
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

  bytes(length: number): Uint8Array<ArrayBuffer> {
    const words = new Uint32Array(Math.ceil(length / 4));
    // A plain generator in a local variable, seeded by the better one: tests ask for hundreds of megabytes.
    let state = this.next() * 2 ** 32;
    for (let at = 0; at < words.length; at++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
      words[at] = state;
    }
    return new Uint8Array(words.buffer, 0, length);
  }
}
