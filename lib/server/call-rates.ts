import { Bucket } from "../bucket.ts";

/** Calls a second that a session may make, of each kind of method that costs the server or others something. */
export interface CallRates {
  readonly messages: number;
  /** Methods that walk through folders or read whole files for a short answer. */
  readonly lists: number;
  /** Methods that read a page of a book. */
  readonly pages: number;
}

export type CallKind = keyof CallRates;

/** So many seconds' worth may be called at once after a rest. */
const BURST_SECONDS = 2;

/** Counts the calls of one session. */
export class CallCounter {
  readonly #buckets = new Map<CallKind, Bucket>();

  /** Count one more call. @returns 0; or, when it is above the rates and not counted, milliseconds until it would be within */
  take(kind: CallKind, rates: CallRates, now: number): number {
    let bucket = this.#buckets.get(kind);
    if (bucket === undefined) {
      bucket = new Bucket(rates[kind], Math.max(1, BURST_SECONDS * rates[kind]), now);
      this.#buckets.set(kind, bucket);
    }
    return bucket.take(now) ? 0 : bucket.takeMs(now);
  }
}
