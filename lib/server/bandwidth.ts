import type { Bucket } from "../bucket.ts";
import type { Clock } from "../session/clock.ts";
import { RateLimit, rateBucket } from "../session/rate-limit.ts";

/** Bytes a second, each way; undefined: no limit. */
export interface BandwidthLimits {
  readonly perSession: number | undefined;
  readonly total: number | undefined;
}

/** Hands out the rate limit of each session. */
export class Bandwidth {
  readonly #clock: Clock;
  #limits: BandwidthLimits;
  #all: { readonly in: Bucket; readonly out: Bucket } | undefined;

  constructor(limits: BandwidthLimits, clock: Clock) {
    this.#clock = clock;
    this.#limits = limits;
    this.#all = this.#allFor(limits);
  }

  /** For sessions that begin from now on; those before keep their limits, and their share of the former total. */
  change(limits: BandwidthLimits): void {
    if (limits.total !== this.#limits.total) this.#all = this.#allFor(limits);
    this.#limits = limits;
  }

  /** For one direction of a new session; undefined: none is needed. */
  limit(direction: "in" | "out"): RateLimit | undefined {
    const { perSession } = this.#limits;
    const own = perSession === undefined ? [] : [rateBucket(perSession, this.#clock)];
    const buckets = this.#all === undefined ? own : [...own, this.#all[direction]];
    return buckets.length === 0 ? undefined : new RateLimit(this.#clock, buckets);
  }

  #allFor({ total }: BandwidthLimits): { readonly in: Bucket; readonly out: Bucket } | undefined {
    const clock = this.#clock;
    return total === undefined ? undefined : { in: rateBucket(total, clock), out: rateBucket(total, clock) };
  }
}
