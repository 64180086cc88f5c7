import type { Door } from "./door.ts";
import type { EventFeed } from "./event-feed.ts";
import type { Guests } from "./guests.ts";
import type { Ledger } from "./ledger.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { STOPPING } from "./lifecycle.ts";
import type { Members } from "./members.ts";
import type { ServerParts } from "./parts.ts";
import type { Sessions } from "./sessions.ts";
import type { Upkeep } from "./upkeep.ts";

/** How long operators have to read the last events. */
const OPERATOR_MS = 1_000;

interface Stopped extends Pick<ServerParts, "failures" | "mail"> {
  readonly events: EventFeed;
  readonly members: Members;
  readonly ledger: Ledger;
  readonly lifecycle: Lifecycle;
  readonly door: Door;
  readonly guests: Guests;
  readonly sessions: Sessions;
  readonly upkeep: Upkeep;
}

/**
 * Stop cleanly: admit nobody, tell everybody why, give running requests `deadlineMs` to end, and close the ledger and the mailbox.
 * Clients go first, so that operators see them leave.
 */
export async function shutDown(parts: Stopped, deadlineMs: number): Promise<void> {
  const { events, failures, members, ledger, mail, lifecycle, door, guests, sessions, upkeep } = parts;
  events.emit({ event: "stopping", message: STOPPING });
  lifecycle.beginStop();
  door.refuse("SHUTDOWN", STOPPING, { onlyWaiting: false });
  sessions.close();
  const { clients } = members;
  for (const { session } of clients) session.goAway("SHUTDOWN", STOPPING, deadlineMs);
  await Promise.all(clients.map(({ session }) => session.closed));
  door.flush();
  guests.flush();
  failures.flush();
  events.end();
  for (const { session } of members.operators) session.goAway("SHUTDOWN", STOPPING, OPERATOR_MS);
  await door.closed();
  door.flush();
  upkeep.stop();
  await mail?.close();
  ledger.close();
}
