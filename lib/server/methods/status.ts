import { type HereRow, MAX_DOING, MAX_HERE, StatusParams, type StatusResult } from "../../protocol/methods.ts";
import type { Member } from "../member.ts";
import { defineMethod, type Question } from "../method.ts";

type Uses = "about" | "clock" | "seats" | "ledger" | "members" | "mail" | "lifecycle";

/** The caller, the server, its seats, and a page of the ledger. */
export const status = defineMethod({
  name: "status",
  role: "read",
  kind: "pages",
  forDrop: true,
  params: StatusParams,
  async answer({ params, caller, server }: Question<typeof StatusParams, Uses>) {
    const { about, clock, seats, ledger, members, mail, lifecycle } = server;
    const { name, names, role, address, startedAt, account } = caller;
    const page = params.here === true ? [] : ledger.page(params.before ?? Number.MAX_SAFE_INTEGER, params.limit);
    const last = page.at(-1);
    return {
      self: { name, ...names, role, address, startedAt, ...account.scope },
      server: {
        agent: about.agent,
        startedAt: about.startedAt,
        uptimeMs: Math.round(clock.now() - about.runningSince),
        draining: lifecycle.draining,
      },
      seats: { max: seats.max, taken: seats.taken, maxWaiting: seats.maxWaiting, waiting: seats.waiting },
      ...(role === "operator" && mail !== undefined && { mailbox: mail.total }),
      ...(params.here === true && { here: members.clients.slice(0, MAX_HERE).map(hereRow) }),
      total: ledger.total(),
      // The ledger has the counters of a live session as of its last checkpoint.
      sessions: page.map((row) => (row.endedAt === null ? { ...row, ...members.find(row.name)?.counters } : row)),
      next: last !== undefined && page.length === params.limit && last.id > 1 ? last.id : null,
    } satisfies StatusResult;
  },
});

function hereRow({ name, names, role, address, startedAt, running, bytesIn, bytesOut }: Member): HereRow {
  const doing = running.kinds.slice(0, MAX_DOING);
  return { name, ...names, role, address, startedAt, doing, bytesIn, bytesOut };
}
