import type { ErrorCode } from "../errors.ts";
import { eventCodeOf } from "../protocol/event-codes.ts";
import type { ServerEvent } from "../protocol/methods.ts";
import type { Clock } from "../session/clock.ts";
import { Throttle } from "./throttle.ts";

/** How long what is refused again and again is only counted. */
export const COUNTING_MS = 5_000;
/** Addresses and codes that are counted at once; the first one is told early when there are more. */
const MAX_COUNTED = 10_000;

export interface Refused {
  readonly address: string;
  /** As PeerAddress.group. */
  readonly group: string;
  readonly code: ErrorCode;
  readonly message: string;
}

interface Counted {
  last: Refused;
  count: number;
  readonly cancel: () => void;
}

/**
 * Tells who was refused: the first of an address one by one, after that how many there were every few seconds. Who is
 * refused a thousand times a second fills nobody's log.
 */
export class Refusals {
  readonly #clock: Clock;
  readonly #emit: (event: ServerEvent) => void;
  readonly #throttle: Throttle;
  /** By group and code. */
  readonly #counted = new Map<string, Counted>();

  constructor(clock: Clock, emit: (event: ServerEvent) => void) {
    this.#clock = clock;
    this.#emit = emit;
    this.#throttle = new Throttle(clock);
  }

  note(refused: Refused): void {
    const kind = `${refused.group} ${refused.code}`;
    const counted = this.#counted.get(kind);
    if (counted !== undefined) {
      counted.last = refused;
      counted.count++;
    } else if (this.#throttle.take(kind)) this.#tell(refused, 1);
    else this.#count(kind, refused);
  }

  /** Tell what was only counted so far, and wait for nothing more. */
  flush(): void {
    for (const kind of [...this.#counted.keys()]) this.#tellCounted(kind);
  }

  #count(kind: string, last: Refused): void {
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
    // It stands for the one that might be told by now.
    this.#throttle.take(kind);
    this.#tell(counted.last, counted.count);
  }

  #tell({ address, code, message }: Refused, count: number): void {
    this.#emit({ event: "refused", address, code: eventCodeOf(code), message, ...(count > 1 && { count }) });
  }
}
