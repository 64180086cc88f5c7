import type { Clock } from "../session/clock.ts";
import { Throttle } from "./throttle.ts";

/** How long repetitions are counted before they are reported. */
export const COUNTING_MS = 5_000;
/** The most kinds that are counted at once; with more, the oldest is reported early. */
const MAX_COUNTED = 10_000;

interface Counted<T> {
  last: T;
  count: number;
  readonly cancel: () => void;
}

/**
 * Reports events: the first few of a kind one by one, then only their number every few seconds. So even an event that
 * happens a thousand times a second does not fill a log.
 */
export class Recurring<T> {
  readonly #clock: Clock;
  readonly #tell: (last: T, count: number) => void;
  readonly #throttle: Throttle;
  readonly #counted = new Map<string, Counted<T>>();

  /** `tell` gets the last event of a kind, and how many it stands for. */
  constructor(clock: Clock, tell: (last: T, count: number) => void) {
    this.#clock = clock;
    this.#tell = tell;
    this.#throttle = new Throttle(clock);
  }

  note(kind: string, thing: T): void {
    const counted = this.#counted.get(kind);
    if (counted !== undefined) {
      counted.last = thing;
      counted.count++;
    } else if (this.#throttle.take(kind)) this.#tell(thing, 1);
    else this.#count(kind, thing);
  }

  /** Report the events that were only counted so far, and stop waiting. */
  flush(): void {
    for (const kind of [...this.#counted.keys()]) this.#tellCounted(kind);
  }

  #count(kind: string, last: T): void {
    const cancel = this.#clock.after(COUNTING_MS, () => this.#tellCounted(kind));
    this.#counted.set(kind, { last, count: 1, cancel });
    const [first] = this.#counted.keys();
    if (this.#counted.size > MAX_COUNTED && first !== undefined) this.#tellCounted(first);
  }

  #tellCounted(kind: string): void {
    const counted = this.#counted.get(kind);
    if (counted === undefined) return;
    this.#counted.delete(kind);
    counted.cancel();
    // This report replaces the single one that the throttle would allow by now.
    this.#throttle.take(kind);
    this.#tell(counted.last, counted.count);
  }
}
