import type { EventCode } from "../protocol/event-codes.ts";
import type { ServerEvent } from "../protocol/methods.ts";
import type { Clock } from "../session/clock.ts";
import { Recurring } from "./recurring.ts";

export interface Failed {
  /** The session's name. */
  readonly name: string;
  readonly method: string;
  readonly code: EventCode;
  readonly message: string;
}

/** Reports failures that the operator can fix, one by one or counted, by session and code. */
export class Failures {
  readonly #recurring: Recurring<Failed>;

  constructor(clock: Clock, emit: (event: ServerEvent) => void) {
    this.#recurring = new Recurring(clock, ({ name, method, code, message }, count) =>
      emit({ event: "failed", name, method, code, message, ...(count > 1 && { count }) }),
    );
  }

  note(failed: Failed): void {
    this.#recurring.note(`${failed.name} ${failed.code}`, failed);
  }

  /** Report the failures that were only counted so far, and stop waiting. */
  flush(): void {
    this.#recurring.flush();
  }
}
