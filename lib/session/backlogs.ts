import type { Clock } from "./clock.ts";

/** How long backlogs are worked on before other work that waits for the event loop has a turn. */
const MAX_RUN_MS = 2;

/** A turn handles about 128 KiB of requests: after 8 MiB there is much unused memory to collect. */
const TURNS_TO_COLLECT = 64;
/** The least time between two collections, which take time themselves. */
const COLLECT_MS = 200;

/**
 * The links of one side that have received more than one turn handles. They take turns, a few of them between two
 * looks at what else has come: so a peer that sends much is served, and one that sends little does not wait for all of
 * that.
 */
export class Backlogs {
  readonly #clock: Pick<Clock, "now" | "turn">;
  #waiting: (() => void)[] = [];
  #isScheduled = false;
  readonly #collect: (() => void) | undefined;
  /** Turns since the last collection. */
  #turns = 0;
  #collectedAt = Number.NEGATIVE_INFINITY;

  /** `collect` frees unused memory; it is called now and then, while there is much to do. */
  constructor(clock: Pick<Clock, "now" | "turn">, collect?: () => void) {
    this.#clock = clock;
    this.#collect = collect;
  }

  /** Call `work`, which handles a little, after the others that wait. */
  add(work: () => void): void {
    this.#waiting.push(work);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    void this.#clock.turn().then(() => {
      this.#isScheduled = false;
      this.#run();
    });
  }

  #run(): void {
    const began = this.#clock.now();
    // Each once: a link that adds itself again goes after other work that waits for the event loop.
    const waiting = this.#waiting;
    this.#waiting = [];
    let next = 0;
    while (next < waiting.length && (next === 0 || this.#clock.now() - began < MAX_RUN_MS)) waiting[next++]?.();
    this.#turns += next;
    if (this.#turns >= TURNS_TO_COLLECT && this.#clock.now() - this.#collectedAt >= COLLECT_MS) {
      this.#turns = 0;
      this.#collectedAt = this.#clock.now();
      this.#collect?.();
    }
    if (next < waiting.length) this.#waiting = [...waiting.slice(next), ...this.#waiting];
    if (this.#waiting.length > 0) this.#schedule();
  }
}
