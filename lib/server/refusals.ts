import type { ErrorCode } from "../errors.ts";
import { eventCodeOf } from "../protocol/event-codes.ts";
import type { ServerEvent } from "../protocol/methods.ts";
import type { Clock } from "../session/clock.ts";
import { Recurring } from "./recurring.ts";

export interface Refused {
  readonly address: string;
  /** As PeerAddress.group. */
  readonly group: string;
  readonly code: ErrorCode;
  readonly message: string;
}

/** Reports refused peers, one by one or counted, by group and code. */
export class Refusals {
  readonly #recurring: Recurring<Refused>;

  constructor(clock: Clock, emit: (event: ServerEvent) => void) {
    this.#recurring = new Recurring(clock, ({ address, code, message }, count) =>
      emit({ event: "refused", address, code: eventCodeOf(code), message, ...(count > 1 && { count }) }),
    );
  }

  note(refused: Refused): void {
    this.#recurring.note(`${refused.group} ${refused.code}`, refused);
  }

  /** Report the refusals that were only counted so far, and stop waiting. */
  flush(): void {
    this.#recurring.flush();
  }
}
