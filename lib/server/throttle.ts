import { Bucket } from "../bucket.ts";
import type { Clock } from "../session/clock.ts";

/** How often one may at once, and how many times come back in a second. */
const BURST = 10;
const PER_SECOND = 0.2;
/** Those that are remembered; who was longest at rest is forgotten first. */
const MAX_REMEMBERED = 10_000;

/** Tells the first few of something that one address does from all that follow. */
export class Throttle {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `who` does it. @returns false when that is too often */
  take(who: string): boolean {
    const now = this.#clock.now();
    const bucket = this.#buckets.get(who) ?? new Bucket(PER_SECOND, BURST, now);
    // The last in the map is who did it last.
    this.#buckets.delete(who);
    this.#buckets.set(who, bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > MAX_REMEMBERED && oldest !== undefined) this.#buckets.delete(oldest);
    return bucket.take(now);
  }
}
