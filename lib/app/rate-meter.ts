import type { Clock } from "../session/clock.ts";

/** How far back the rate looks, in milliseconds. */
const WINDOW_MS = 3_000;
/** The least time that is measured: what comes in a burst is no rate. */
const LEAST_MS = 250;

/** Bytes a second over the last seconds. */
export class RateMeter {
  readonly #clock: Pick<Clock, "now">;
  #samples: { at: number; bytes: number }[] = [];
  #since: number;

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
    this.#since = clock.now();
  }

  add(bytes: number): void {
    const at = this.#clock.now();
    const last = this.#samples.at(-1);
    // Samples of one moment are one, so that there are few.
    if (last !== undefined && at - last.at < 50) last.bytes += bytes;
    else this.#samples.push({ at, bytes });
    this.#forget(at);
  }

  get rate(): number {
    const now = this.#clock.now();
    this.#forget(now);
    const bytes = this.#samples.reduce((sum, sample) => sum + sample.bytes, 0);
    const ms = Math.min(WINDOW_MS, Math.max(LEAST_MS, now - this.#since));
    return Math.round((bytes * 1000) / ms);
  }

  #forget(now: number): void {
    while (this.#samples[0] !== undefined && now - this.#samples[0].at > WINDOW_MS) this.#samples.shift();
  }
}
