/**
 * A bucket that fills at a steady rate: how often, or how fast, something may be done. It may be overdrawn: then the
 * next caller waits longer.
 */
export class Bucket {
  readonly #perSecond: number;
  readonly capacity: number;
  #level: number;
  #filledAt: number;

  /** `capacity` is what may be taken at once after a rest; `now` in milliseconds, as in every call. */
  constructor(perSecond: number, capacity: number, now: number) {
    this.#perSecond = perSecond;
    this.capacity = capacity;
    this.#level = capacity;
    this.#filledAt = now;
  }

  /** Take one, unless the bucket is empty. */
  take(now: number): boolean {
    this.#fill(now);
    if (this.#level < 1) return false;
    this.#level--;
    return true;
  }

  /** Milliseconds until take() succeeds; 0: now. */
  takeMs(now: number): number {
    this.#fill(now);
    return this.#level >= 1 ? 0 : Math.ceil(((1 - this.#level) / this.#perSecond) * 1000);
  }

  /** Take `amount`, however much the bucket holds. */
  spend(amount: number, now: number): void {
    this.#fill(now);
    this.#level -= amount;
  }

  /** Milliseconds until the bucket is no longer overdrawn; 0 when it is not. */
  waitMs(now: number): number {
    this.#fill(now);
    return this.#level >= 0 ? 0 : Math.ceil((-this.#level / this.#perSecond) * 1000);
  }

  isFull(now: number): boolean {
    this.#fill(now);
    return this.#level >= this.capacity;
  }

  #fill(now: number): void {
    this.#level = Math.min(this.capacity, this.#level + ((now - this.#filledAt) / 1000) * this.#perSecond);
    this.#filledAt = now;
  }
}
