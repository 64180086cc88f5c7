import { setTimeout as pause } from "node:timers/promises";
import { TransportError } from "../errors.ts";
import { Neighbourhood } from "./neighbourhood.ts";
import { Questioner } from "./questioner.ts";
import type { FoundServer } from "./service.ts";

/** When to ask again, in milliseconds after the start, since packets get lost. Source: RFC 6762, section 5.2. */
const ASK_AT_MS = [1_000, 3_000, 7_000, 15_000, 31_000, 63_000];

/**
 * The servers that announce themselves on this machine's networks, as far as they answer within `listenMs`.
 *
 * @throws TransportError CANNOT_CONNECT when no network can be asked; AbortError when `signal` aborts
 */
export async function findServers(listenMs: number, signal: AbortSignal): Promise<FoundServer[]> {
  const neighbourhood = new Neighbourhood();
  using questioner = new Questioner((records, from) => neighbourhood.add(records, from));
  const ask = () => questioner.ask(neighbourhood.questions());
  ask();
  const timers = ASK_AT_MS.map((ms) => setTimeout(ask, ms));
  try {
    await pause(listenMs, undefined, { signal });
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
  const { fault } = questioner;
  if (fault === undefined) return neighbourhood.list();
  const message = `This machine's networks can't be asked for servers: ${fault.message}.`;
  throw new TransportError("CANNOT_CONNECT", message, { cause: fault });
}
