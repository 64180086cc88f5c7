import { countCall, type Rule } from "../server/guard.ts";
import type { GatewayParts } from "../server/parts.ts";
import type { HttpCall } from "./http-call.ts";

/** A look into one folder, or into all below it. */
export const LIST: Rule = { name: "list", role: "read", kind: "lists" };

/**
 * Count a look into one folder to the rate of `list`, and wait for its turn: programs that copy trees ask for many folders
 * at once, and most take a refusal for a folder that is not there. Returns when it may go on, or nobody waits any more.
 */
export async function listTurn(
  call: HttpCall,
  server: Pick<GatewayParts, "clock" | "callRates" | "writable">,
): Promise<void> {
  const { guest } = call;
  if (guest === undefined) return;
  for (;;) {
    const tooOften = countCall(LIST, guest.member, server, server.clock.now());
    if (tooOften === undefined || call.isClosed) return;
    await call.pause(tooOften.retryAfterMs);
  }
}
