import { Bucket } from "../../bucket.ts";
import type { Clock } from "../../session/clock.ts";

/** Failures that an address may have at once, and how many come back in a second. */
const BURST = 10;
const PER_SECOND = 0.2;
/** Addresses that are remembered; the one that failed longest ago is forgotten first. */
const MAX_ADDRESSES = 10_000;

/** Holds off addresses whose proofs fail again and again. */
export class Throttle {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether `address` has failed so often that it is not heard for now. */
  isHeld(address: string): boolean {
    const bucket = this.#buckets.get(address);
    const now = this.#clock.now();
    if (bucket === undefined) return false;
    if (bucket.isFull(now)) this.#buckets.delete(address);
    return bucket.waitMs(now) > 0;
  }

  noteFailure(address: string): void {
    const now = this.#clock.now();
    const bucket = this.#buckets.get(address) ?? new Bucket(PER_SECOND, BURST - 1, now);
    bucket.spend(1, now);
    this.#buckets.delete(address);
    this.#buckets.set(address, bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > MAX_ADDRESSES && oldest !== undefined) this.#buckets.delete(oldest);
  }
}
