import * as v from "valibot";
import { MAX_TEXT_LENGTH } from "./constants.ts";
import { Role } from "./messages.ts";

/** Parameters, results and body records of every method. Source: PROTOCOL.md, "Methods". */

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const timestamp = v.number(); // milliseconds since 1970-01-01T00:00Z
const name = v.pipe(v.string(), v.maxLength(128));
const path = v.pipe(v.string(), v.maxLength(4096));
const text = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_TEXT_LENGTH));

/** Most rows of the ledger in one `status` answer: fits a control frame. */
export const MAX_STATUS_ROWS = 128;

export const StatusParams = v.object({
  /** Sessions with a lower id than this; absent: from the newest on. */
  before: v.optional(count),
  limit: v.optional(v.pipe(count, v.minValue(1), v.maxValue(MAX_STATUS_ROWS)), 50),
});
export type StatusParams = v.InferInput<typeof StatusParams>;

export const SessionRow = v.object({
  id: count,
  name,
  address: v.string(),
  startedAt: timestamp,
  /** null while the session lives. */
  endedAt: v.nullable(timestamp),
  /** exit, lost, kicked, timeout, shutdown, protocol error, crash; null while it lives. */
  reason: v.nullable(v.string()),
  bytesIn: count,
  bytesOut: count,
  messagesIn: count,
  messagesOut: count,
});
export type SessionRow = v.InferOutput<typeof SessionRow>;

export const StatusResult = v.object({
  self: v.object({ name, role: Role, address: v.string(), startedAt: timestamp }),
  server: v.object({ agent: v.string(), startedAt: timestamp, uptimeMs: count, draining: v.boolean() }),
  seats: v.object({ max: count, taken: count, maxWaiting: count, waiting: count }),
  /** Sessions in the ledger, ended ones included. */
  total: count,
  /** Newest first. */
  sessions: v.array(SessionRow),
  /** `before` for the next page, null on the last. */
  next: v.nullable(count),
});
export type StatusResult = v.InferOutput<typeof StatusResult>;

export const EntryKind = v.picklist(["file", "folder", "link", "other"]);

/** One thing in the repository. `link` is a symbolic link that is not followed, `other` a device and such. */
export const Entry = v.object({
  path,
  kind: EntryKind,
  /** Bytes; 0 for all but files. */
  size: count,
  modifiedAt: timestamp,
});
export type Entry = v.InferOutput<typeof Entry>;

export const ListParams = v.object({
  /** A pattern, a folder or a file; absent: everything. */
  glob: v.optional(v.pipe(v.string(), v.maxLength(1024))),
});
export const ListResult = v.object({});
export const ListTrailer = v.object({
  entries: count,
  /** Entries whose names are not repository paths, and folders that can't be read. */
  skipped: count,
});
export type ListTrailer = v.InferOutput<typeof ListTrailer>;

export const StatParams = v.object({ path });
export const StatResult = v.object({
  ...Entry.entries,
  /** Changes when the content may have changed; to be compared only. */
  etag: v.string(),
});
export type StatResult = v.InferOutput<typeof StatResult>;

export const GetParams = v.object({ path });
export const GetResult = v.object({ size: count, modifiedAt: timestamp, etag: v.string() });
export type GetResult = v.InferOutput<typeof GetResult>;
export const GetTrailer = v.object({
  /** SHA-256 of the whole file, 64 lower-case hexadecimal digits. */
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "not a SHA-256 digest")),
});

/** Client to server. `to` is a client's name, "all", or absent for the server itself. */
export const SendParams = v.object({ to: v.optional(name), text });
export const SendResult = v.object({
  /** The server's answer in words: `<text> ACK`. */
  text: v.string(),
  /** Names that the message reached. */
  delivered: v.array(name),
  /** Names that it did not reach, with the reason. */
  failed: v.array(v.object({ name, message: v.string() })),
  /** Names that found no place in either list. */
  omitted: v.optional(count),
});
export type SendResult = v.InferOutput<typeof SendResult>;

/** Server to client: a message that somebody wrote. */
export const MessageParams = v.object({ from: name, to: name, text });
export type MessageParams = v.InferOutput<typeof MessageParams>;

export const KickParams = v.object({ name, reason: v.optional(v.pipe(v.string(), v.maxLength(256))) });
export const DrainParams = v.object({ on: v.boolean() });
export const Nothing = v.object({});

/** What happens at the server, for its operator: the body records of `events`, and the log. */
export type ServerEvent =
  | { event: "listening"; address: string }
  | { event: "joined"; name: string; address: string; role: Role }
  | {
      event: "left";
      name: string;
      address: string;
      reason: string;
      message: string;
      bytesIn: number;
      bytesOut: number;
      messagesIn: number;
      messagesOut: number;
    }
  | { event: "waiting"; address: string; position: number }
  | { event: "refused"; address: string; code: string; message: string }
  | { event: "message"; from: string; to: string; text: string }
  | { event: "failed"; name: string; method: string; code: string; message: string }
  | { event: "draining"; on: boolean }
  | { event: "stopping"; message: string }
  | { event: "warning"; message: string };

/** The least that a reader of `events` may rely on; newer servers may have other events. */
export const EventRecord = v.looseObject({ event: v.string() });
export type EventRecord = v.InferOutput<typeof EventRecord>;
