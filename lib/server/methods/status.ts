import { StatusParams, type StatusResult } from "../../protocol/methods.ts";
import { defineMethod, type Question } from "../method.ts";

type Uses = "about" | "clock" | "seats" | "ledger" | "members" | "lifecycle";

/** The caller, the server, its seats, and a page of the ledger. */
export const status = defineMethod({
  name: "status",
  role: "read",
  kind: "pages",
  params: StatusParams,
  async answer({ params, caller, server }: Question<typeof StatusParams, Uses>) {
    const { about, clock, seats, ledger, members, lifecycle } = server;
    const { name, role, address, startedAt } = caller;
    const page = ledger.page(params.before ?? Number.MAX_SAFE_INTEGER, params.limit);
    const last = page.at(-1);
    return {
      self: { name, role, address, startedAt },
      server: {
        agent: about.agent,
        startedAt: about.startedAt,
        uptimeMs: Math.round(clock.now() - about.runningSince),
        draining: lifecycle.draining,
      },
      seats: { max: seats.max, taken: seats.taken, maxWaiting: seats.maxWaiting, waiting: seats.waiting },
      total: ledger.total(),
      // The ledger has the counters of a live session as of its last checkpoint.
      sessions: page.map((row) => (row.endedAt === null ? { ...row, ...members.find(row.name)?.counters } : row)),
      next: last !== undefined && page.length === params.limit && last.id > 1 ? last.id : null,
    } satisfies StatusResult;
  },
});
