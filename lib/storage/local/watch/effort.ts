import { Yielder, type YielderClock } from "../../../yielder.ts";
import { diskClock } from "../disk-clock.ts";

/** Measures the time of long work without the pauses in it, in which others have their turns. */
export class Effort {
  readonly #clock: YielderClock;
  readonly #yielder: Yielder;
  #since: number;
  #spentMs = 0;

  constructor(clock: YielderClock = diskClock) {
    this.#clock = clock;
    this.#yielder = new Yielder(clock);
    this.#since = clock.now();
  }

  /** Call between two pieces of work. */
  async pause(): Promise<void> {
    if (!this.#yielder.isDue) return;
    this.end();
    await this.#yielder.pause();
    this.#since = this.#clock.now();
  }

  /** Call once, after the last piece of work. @returns milliseconds */
  end(): number {
    this.#spentMs += this.#clock.now() - this.#since;
    return this.#spentMs;
  }
}
