import { StreamError } from "../errors.ts";
import type { TooOften } from "../server/guard.ts";

/** A call that comes too early: TOO_OFTEN, with the time to wait. */
export class TooOftenError extends StreamError {
  readonly retryAfterMs: number;

  constructor({ message, retryAfterMs }: TooOften) {
    super("TOO_OFTEN", message);
    this.retryAfterMs = retryAfterMs;
  }
}
