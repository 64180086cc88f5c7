import { Bucket } from "../bucket.ts";
import type { Clock } from "../session/clock.ts";
import { LruMap } from "./lru-map.ts";

/** Attempts that are allowed at once, and how many more a second. */
export const BURST = 10;
export const PER_SECOND = 0.2;
/** The most addresses that are remembered. */
const MAX_REMEMBERED = 10_000;

/** Tells the first few attempts of an address from the many that follow. */
export class Throttle {
  readonly #clock: Clock;
  readonly #buckets = new LruMap<string, Bucket>(MAX_REMEMBERED);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Count an attempt of `who`. @returns false when there were too many */
  take(who: string): boolean {
    const now = this.#clock.now();
    let bucket = this.#buckets.use(who);
    if (bucket === undefined) {
      // A full bucket is as good as none.
      this.#buckets.dropUnneeded((each) => !each.isFull(now));
      bucket = new Bucket(PER_SECOND, BURST, now);
      this.#buckets.set(who, bucket);
    }
    return bucket.take(now);
  }
}
