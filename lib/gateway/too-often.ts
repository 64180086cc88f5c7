import { StreamError } from "../errors.ts";
import { countCall, type Rule, type TooOften } from "../server/guard.ts";
import type { GatewayParts } from "../server/parts.ts";
import type { HttpCall } from "./http-call.ts";

/** A call that comes too early: TOO_OFTEN, with the time to wait. */
export class TooOftenError extends StreamError {
  readonly retryAfterMs: number;

  constructor({ message, retryAfterMs }: TooOften) {
    super("TOO_OFTEN", message);
    this.retryAfterMs = retryAfterMs;
  }
}

/** Count a request toward the rate of `rule`. @throws TooOftenError */
export function requireRate(
  rule: Rule,
  { guest }: HttpCall,
  server: Pick<GatewayParts, "clock" | "callRates" | "writable">,
): void {
  if (guest === undefined) return;
  const tooOften = countCall(rule, guest.member, server, server.clock.now());
  if (tooOften !== undefined) throw new TooOftenError(tooOften);
}
