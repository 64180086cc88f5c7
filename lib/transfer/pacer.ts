import type { Clock } from "../session/clock.ts";

/** Work without a wait that may keep everybody else from their turn. */
const MAX_RUN_MS = 2;

/** Lets others have their turn in a long run of work that never waits, such as ten thousand small files. */
export class Pacer {
  readonly #clock: Pick<Clock, "now" | "turn">;
  #since: number;

  constructor(clock: Pick<Clock, "now" | "turn">) {
    this.#clock = clock;
    this.#since = clock.now();
  }

  /** Whether pause() would wait. */
  get isDue(): boolean {
    return this.#clock.now() - this.#since >= MAX_RUN_MS;
  }

  /** Call between two pieces of work. */
  async pause(): Promise<void> {
    if (!this.isDue) return;
    await this.#clock.turn();
    this.#since = this.#clock.now();
  }
}
