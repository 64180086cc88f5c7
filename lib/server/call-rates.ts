import { Bucket } from "../bucket.ts";

/** The calls a second that a session may make, for each kind of costly method. */
export interface CallRates {
  readonly messages: number;
  /** Methods that walk through folders or read whole files for a short answer. */
  readonly lists: number;
  /** Methods that read a page of the ledger. */
  readonly pages: number;
}

export type CallKind = keyof CallRates;

/** After a pause, the calls of this many seconds may come at once. */
const BURST_SECONDS = 2;

/** Counts the calls of one session. */
export class CallCounter {
  readonly #buckets = new Map<CallKind, Bucket>();

  /**
   * Count one more call.
   *
   * @returns 0; or, for a call above the rates, which is not counted: milliseconds until it would be within them
   */
  take(kind: CallKind, rates: CallRates, now: number): number {
    let bucket = this.#buckets.get(kind);
    if (bucket === undefined) {
      bucket = new Bucket(rates[kind], Math.max(1, BURST_SECONDS * rates[kind]), now);
      this.#buckets.set(kind, bucket);
    }
    return bucket.take(now) ? 0 : bucket.takeMs(now);
  }
}
