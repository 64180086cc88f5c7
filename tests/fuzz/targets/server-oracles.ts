import { EXIT, EXIT_OF } from "../../../lib/cli/exit-codes.ts";
import type { ErrorCode } from "../../../lib/errors.ts";
import type { StampedEvent } from "../../../lib/server/event-feed.ts";
import type { CommServer } from "../../../lib/server/server.ts";
import type { Findings } from "../finding.ts";

/** Nobody is here, or kept: no member, no seat, nobody in the queue. */
export function isDeserted({ members, seats }: CommServer): boolean {
  return members.clients.length + members.operators.length + seats.waiting + seats.taken === 0;
}

/** As isDeserted(), but for the seats that are kept for a while. */
export function isLeft({ members, seats }: CommServer): boolean {
  return members.clients.length + members.operators.length + seats.waiting === 0;
}

export function occupancy({ members, seats }: CommServer): string {
  return `${members.clients.length} members, ${seats.taken} seats taken, ${seats.waiting} waiting`;
}

/** What the server says of itself: a failure that is no matter of the disk is a defect. */
export function checkEvents(events: readonly StampedEvent[], findings: Findings): void {
  for (const event of events) {
    if (event.event === "warning") findings.add("warning", event.message);
    if (event.event !== "failed") continue;
    const code = event.code as ErrorCode;
    const isOfDisk = ([EXIT.LOCAL_DISK, EXIT.SERVER_DISK] as number[]).includes(EXIT_OF[code]);
    if (!isOfDisk) findings.add("failure", `${code} in ${event.method}: ${event.message}`);
  }
}

/** Whether what the server told to have done can have changed `path`. */
export function mayHaveChanged(events: readonly StampedEvent[], path: string): boolean {
  const concerns = (changed: string) => path === changed || path.startsWith(`${changed}/`);
  return events.some((event) => {
    if (event.event === "stored" || event.event === "removed") return concerns(event.path);
    return event.event === "renamed" && (concerns(event.from) || concerns(event.to));
  });
}
