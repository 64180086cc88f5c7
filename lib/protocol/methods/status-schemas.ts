import * as v from "valibot";
import { Role } from "../messages.ts";
import { address, count, name, timestamp } from "../shapes.ts";

/** `status`. Source: PROTOCOL.md, "Methods". */

/** The most rows of the ledger in one `status` answer: they fit a control frame. */
export const MAX_STATUS_ROWS = 128;

export const StatusParams = v.object({
  /** Only sessions with a lower id; absent: from the newest on. */
  before: v.optional(count),
  limit: v.optional(v.pipe(count, v.minValue(1), v.maxValue(MAX_STATUS_ROWS)), 50),
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

export const StatusResult = v.object({
  self: v.object({ name, role: Role, address, startedAt: timestamp }),
  server: v.object({ agent: name, startedAt: timestamp, uptimeMs: count, draining: v.boolean() }),
  seats: v.object({ max: count, taken: count, maxWaiting: count, waiting: count }),
  /** Sessions in the ledger, ended ones included. */
  total: count,
  /** Newest first. */
  sessions: v.pipe(v.array(SessionRow), v.maxLength(MAX_STATUS_ROWS)),
  /** `before` for the next page, null on the last. */
  next: v.nullable(count),
});
export type StatusResult = v.InferOutput<typeof StatusResult>;
