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
  readonly #perSession: number | undefined;
  readonly #all: { readonly in: Bucket; readonly out: Bucket } | undefined;

  constructor({ perSession, total }: BandwidthLimits, clock: Clock) {
    this.#clock = clock;
    this.#perSession = perSession;
    this.#all = total === undefined ? undefined : { in: rateBucket(total, clock), out: rateBucket(total, clock) };
  }

  /** For one direction of a new session; undefined: none is needed. */
  limit(direction: "in" | "out"): RateLimit | undefined {
    const own = this.#perSession === undefined ? [] : [rateBucket(this.#perSession, this.#clock)];
    const buckets = this.#all === undefined ? own : [...own, this.#all[direction]];
    return buckets.length === 0 ? undefined : new RateLimit(this.#clock, buckets);
  }
}
