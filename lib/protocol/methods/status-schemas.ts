import * as v from "valibot";
import { Role } from "../messages.ts";
import { address, count, name, path, timestamp, tokenName } from "../shapes.ts";

/** `status`. Source: PROTOCOL.md, "Methods". */

/** The most rows of the ledger in one `status` answer: they fit a control frame. */
export const MAX_STATUS_ROWS = 128;

/** The most live sessions in one answer, and the most methods of each: they fit a control frame. */
export const MAX_HERE = 100;
export const MAX_DOING = 4;

export const StatusParams = v.object({
  /** Only sessions with a lower id; absent: from the newest on. */
  before: v.optional(count),
  limit: v.optional(v.pipe(count, v.minValue(1), v.maxValue(MAX_STATUS_ROWS)), 50),
  /** Answer with the sessions that live, instead of the page. */
  here: v.optional(v.boolean()),
});
export type StatusParams = v.InferInput<typeof StatusParams>;

export const SessionRow = v.object({
  id: count,
  name,
  address,
  startedAt: timestamp,
  /** null while the session lives. */
  endedAt: v.nullable(timestamp),
  /** exit, lost, kicked, timeout, idle, revoked, shutdown, protocol error, crash; null while it lives. */
  reason: v.nullable(v.pipe(v.string(), v.maxLength(64))),
  bytesIn: count,
  bytesOut: count,
  messagesIn: count,
  messagesOut: count,
});
export type SessionRow = v.InferOutput<typeof SessionRow>;

/** What is told of every session that lives. */
const who = {
  name,
  /** The name of its proven token, and the name that it gives itself. */
  token: v.optional(tokenName),
  nick: v.optional(tokenName),
  role: Role,
  address,
  startedAt: timestamp,
};

/** A session that lives. */
export const HereRow = v.object({
  ...who,
  /** The methods of its requests under way. */
  doing: v.pipe(v.array(name), v.maxLength(MAX_DOING)),
  bytesIn: count,
  bytesOut: count,
});
export type HereRow = v.InferOutput<typeof HereRow>;

export const StatusResult = v.object({
  self: v.object({
    ...who,
    /** Of a limited token: the folder that is its whole repository, the most that it may hold, and whether it only takes files. */
    folder: v.optional(path),
    quotaBytes: v.optional(count),
    drop: v.optional(v.boolean()),
  }),
  server: v.object({ agent: name, startedAt: timestamp, uptimeMs: count, draining: v.boolean() }),
  seats: v.object({ max: count, taken: count, maxWaiting: count, waiting: count }),
  /** For an operator of a server that keeps messages: those that it keeps. */
  mailbox: v.optional(v.object({ messages: count, bytes: count, maxBytes: count })),
  /** The sessions that live, in the order of admission; present when `here` was asked for. */
  here: v.optional(v.pipe(v.array(HereRow), v.maxLength(MAX_HERE))),
  /** Sessions in the ledger, ended ones included. */
  total: count,
  /** Newest first. */
  sessions: v.pipe(v.array(SessionRow), v.maxLength(MAX_STATUS_ROWS)),
  /** `before` for the next page, null on the last. */
  next: v.nullable(count),
});
export type StatusResult = v.InferOutput<typeof StatusResult>;
