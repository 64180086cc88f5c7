import type * as v from "valibot";
import { StatusParams, type StatusResult } from "../../protocol/methods.ts";
import { type Call, defineMethod } from "../method.ts";

/** The caller, the server, its seats, and a page of the ledger. */
export const status = defineMethod({
  name: "status",
  role: "read",
  kind: "pages",
  params: StatusParams,
  async handle(call) {
    call.stream.accept(describeServer(call), { end: true });
  },
});

function describeServer({ params, member, host }: Call<v.InferOutput<typeof StatusParams>>): StatusResult {
  const { seats, ledger, clock } = host;
  const { name, role, address, startedAt } = member;
  const page = ledger.page(params.before ?? Number.MAX_SAFE_INTEGER, params.limit);
  const last = page.at(-1);
  return {
    self: { name, role, address, startedAt },
    server: {
      agent: host.agent,
      startedAt: host.startedAt,
      uptimeMs: Math.round(clock.now() - host.runningSince),
      draining: host.draining,
    },
    seats: { max: seats.max, taken: seats.taken, maxWaiting: seats.maxWaiting, waiting: seats.waiting },
    total: ledger.total(),
    // The ledger has the counters of a live session as of its last checkpoint.
    sessions: page.map((row) => (row.endedAt === null ? { ...row, ...host.members.find(row.name)?.counters } : row)),
    next: last !== undefined && page.length === params.limit && last.id > 1 ? last.id : null,
  };
}
