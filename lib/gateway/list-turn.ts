import { countCall } from "../server/guard.ts";
import { list } from "../server/methods/list.ts";
import type { GatewayParts } from "../server/parts.ts";
import type { HttpCall } from "./http-call.ts";

/**
 * Count a listing of one folder toward the rate of `list`, and wait for its turn: programs that copy trees ask for many
 * folders at once, and most take a refusal for a missing folder. Returns when the listing may begin, or nobody waits
 * any more.
 */
export async function listTurn(
  call: HttpCall,
  server: Pick<GatewayParts, "clock" | "callRates" | "writable">,
): Promise<void> {
  const { guest } = call;
  if (guest === undefined) return;
  for (;;) {
    const tooOften = countCall(list, guest.member, server, server.clock.now());
    if (tooOften === undefined || call.isClosed) return;
    await call.pause(tooOften.retryAfterMs);
  }
}
