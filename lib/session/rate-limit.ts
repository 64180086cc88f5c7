import { Bucket } from "../bucket.ts";
import type { Clock } from "./clock.ts";

/** After a pause, a burst of this many seconds may pass. */
const BURST_SECONDS = 0.25;

/** Smaller frames would be mostly headers. */
const MIN_FRAME_BYTES = 1_024;

/** Bytes of DATA a second, in one direction, that several limits allow together: a session's own, and that of all. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #buckets: readonly Bucket[];

  constructor(clock: Clock, buckets: readonly Bucket[]) {
    this.#clock = clock;
    this.#buckets = buckets;
  }

  /** The most that may move at once. */
  get frameBytes(): number {
    return Math.max(MIN_FRAME_BYTES, Math.floor(Math.min(...this.#buckets.map(({ capacity }) => capacity))));
  }

  /** Milliseconds until more may move; 0: now. */
  waitMs(): number {
    const now = this.#clock.now();
    return Math.max(...this.#buckets.map((bucket) => bucket.waitMs(now)));
  }

  /** Note the bytes that have moved. */
  spend(bytes: number): void {
    const now = this.#clock.now();
    for (const bucket of this.#buckets) bucket.spend(bytes, now);
  }
}

/** How fast DATA may leave and come; undefined: as fast as it goes. */
export interface RateLimits {
  readonly out: RateLimit | undefined;
  readonly in: RateLimit | undefined;
}

/** A bucket of bytes. */
export function rateBucket(bytesPerSecond: number, clock: Clock): Bucket {
  return new Bucket(bytesPerSecond, BURST_SECONDS * bytesPerSecond, clock.now());
}
