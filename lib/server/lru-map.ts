/** A map of bounded cost: the least recently used entries are dropped first. */
export class LruMap<Key, Value> {
  readonly #maxCost: number;
  readonly #costOf: (value: Value) => number;
  /** In the order of their last use. */
  readonly #entries = new Map<Key, Value>();
  #cost = 0;

  /** `costOf`: what a value costs, always the same; absent: each costs 1. */
  constructor(maxCost: number, costOf: (value: Value) => number = () => 1) {
    this.#maxCost = maxCost;
    this.#costOf = costOf;
  }

  /** The value, which is used by that. */
  use(key: Key): Value | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  /** The value, as if nobody had asked. */
  peek(key: Key): Value | undefined {
    return this.#entries.get(key);
  }

  /** Keep the value, which is used by that, in place of another of that key. One above the whole cost is not kept. */
  set(key: Key, value: Value): void {
    this.delete(key);
    this.#entries.set(key, value);
    this.#cost += this.#costOf(value);
    for (const oldest of this.#entries.keys()) {
      if (this.#cost <= this.#maxCost) return;
      this.delete(oldest);
    }
  }

  /** Drop the least recently used entries, up to the first that is still needed. */
  dropUnneeded(isNeeded: (value: Value) => boolean): void {
    for (const [key, value] of this.#entries) {
      if (isNeeded(value)) return;
      this.delete(key);
    }
  }

  delete(key: Key): void {
    const value = this.#entries.get(key);
    if (value === undefined) return;
    this.#entries.delete(key);
    this.#cost -= this.#costOf(value);
  }
}
