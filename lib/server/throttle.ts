import { Bucket } from "../bucket.ts";
import type { Clock } from "../session/clock.ts";
import { recentEntries } from "./recent-entries.ts";

/** Attempts that are allowed at once, and how many more each second. */
export const BURST = 10;
export const PER_SECOND = 0.2;
/** The most addresses that are remembered. */
const MAX_REMEMBERED = 10_000;

/** Lets the first few attempts of an address pass, and not the many that follow. */
export class Throttle {
  readonly #clock: Clock;
  readonly #buckets = recentEntries<Bucket>(MAX_REMEMBERED);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether take() would say that there were too many; counts nothing. */
  isSpent(who: string): boolean {
    const bucket = this.#buckets.peek(who);
    return bucket !== undefined && bucket.takeMs(this.#clock.now()) > 0;
  }

  /** Count an attempt of `who`. @returns false when there were too many */
  take(who: string): boolean {
    const now = this.#clock.now();
    let bucket = this.#buckets.get(who);
    if (bucket === undefined) {
      // A full bucket need not be kept.
      for (const each of this.#buckets.rkeys()) {
        if (this.#buckets.peek(each)?.isFull(now) !== true) break;
        this.#buckets.delete(each);
      }
      bucket = new Bucket(PER_SECOND, BURST, now);
      this.#buckets.set(who, bucket);
    }
    return bucket.take(now);
  }
}
