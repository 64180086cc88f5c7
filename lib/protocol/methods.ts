import * as v from "valibot";
import { MAX_HOLES } from "../holes.ts";
import { MAX_TEXT_LENGTH } from "./constants.ts";
import type { EventCode } from "./event-codes.ts";
import { Role } from "./messages.ts";

/** Parameters, results and body records of every method. Source: PROTOCOL.md, "Methods". */

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const timestamp = count; // milliseconds since 1970-01-01T00:00Z
/** A peer's address in words. */
const address = v.pipe(v.string(), v.maxLength(300));
const name = v.pipe(v.string(), v.maxLength(128));
/** What the server tells of. */
const path = v.pipe(v.string(), v.maxLength(4096));
/** What it is asked for. Whether it is a path is judged by what is asked: one that is none fails that alone, with BAD_PATH. */
const askedPath = v.string();
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

export const EntryKind = v.picklist(["file", "folder", "link", "other"]);

/** What the owner, the group and all others may do: nine bits, as in a POSIX mode. Absent where there is no such thing. */
const mode = v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(0o777)));

/** One thing in the repository. `link` is a symbolic link that is not followed, `other` a device and such. */
export const Entry = v.object({
  path,
  kind: EntryKind,
  /** Bytes; 0 for all but files. */
  size: count,
  modifiedAt: timestamp,
  /** In a list of folders alone. */
  mode,
});
export type Entry = v.InferOutput<typeof Entry>;

/** What a `list` or a `watch` is about. */
const asked = {
  /** A pattern, a folder or a file; absent: everything. */
  glob: v.optional(askedPath),
  /** In place of `glob`: a folder or a file whose name may look like a pattern. */
  path: v.optional(askedPath),
};
function isOneAtMost({ glob, path }: { glob?: string | undefined; path?: string | undefined }): boolean {
  return glob === undefined || path === undefined;
}

export const ListParams = v.pipe(
  v.object({
    ...asked,
    /** Also the folders above what a pattern matches, each before what is in it. */
    parents: v.optional(v.boolean(), false),
  }),
  v.check((params) => isOneAtMost(params), "either glob or path"),
);
export const ListResult = v.object({});

/** What the trailer of a list tells by name: so many, and so long, at most. */
export const MAX_LEFT_OUT = 100;
export const MAX_LEFT_OUT_NAME = 1024;

export const ListTrailer = v.object({
  entries: count,
  /** Entries whose names are not repository paths, folders that can't be read or have gone since they were told. */
  skipped: count,
  /** How many of them the server may not read. */
  unreadable: v.optional(count),
  /** The first of them. The name need be no path, and is cut where it is too long. */
  leftOut: v.optional(
    v.pipe(
      v.array(v.object({ name: v.pipe(v.string(), v.maxLength(MAX_LEFT_OUT_NAME)), code: count })),
      v.maxLength(MAX_LEFT_OUT),
    ),
  ),
});
export type ListTrailer = v.InferOutput<typeof ListTrailer>;

export const StatParams = v.object({ path: askedPath });
export const StatResult = v.object({
  ...Entry.entries,
  executable: v.boolean(),
  /** Changes when the content may have changed; to be compared only. */
  etag: v.string(),
});
export type StatResult = v.InferOutput<typeof StatResult>;

/** Number of a request inside a `get` or `put`, chosen by the client. */
const fileId = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(0xffff_ffff));
const etag = v.pipe(v.string(), v.maxLength(128));
/** What a file is besides its bytes. */
const facts = {
  size: count,
  modifiedAt: timestamp,
  /** True when its owner may run it, where the system knows such a thing. */
  executable: v.boolean(),
  mode,
  /** Changes when the content may have changed; to be compared only. */
  etag,
};

/** As in lib/block.ts. */
const Range = v.tuple([count, count]);
/** Parts of the file that are all zeros and do not come. Source: PROTOCOL.md, "Holes". */
const holes = v.optional(v.pipe(v.array(Range), v.maxLength(MAX_HOLES)));

/** What a receiver must know of a file before its bytes: the payload of FILE in a `get`. */
export const FileFacts = v.object({ ...facts, holes });
export type FileFacts = v.InferOutput<typeof FileFacts>;

/** A record of the client's body in `get`: a file, or the part of it from `offset` on. */
export const GetRequest = v.object({
  id: fileId,
  path: askedPath,
  /** A multiple of the block size. */
  offset: v.optional(count, 0),
  /** Bytes at most; absent: to the end. */
  length: v.optional(count),
  /** The file must still be this one. */
  etag: v.optional(etag),
  /** FILE shall have the SHA-256 of the whole file. */
  digest: v.optional(v.boolean(), false),
  /** FILE may have holes. */
  holes: v.optional(v.boolean(), false),
});
export type GetRequest = v.InferInput<typeof GetRequest>;

/** What to do when there is something at the path already. */
export const ExistsPolicy = v.picklist(["fail", "overwrite", "skip", "rename"]);
export type ExistsPolicy = v.InferOutput<typeof ExistsPolicy>;

/** The payload of FILE in a `put`. */
export const PutFile = v.object({ path: askedPath, exists: ExistsPolicy, ...facts, holes });
export type PutFile = v.InferOutput<typeof PutFile>;

/** The payload of FOLDER in a `put`. */
export const PutFolder = v.object({ path: askedPath, mode });
export type PutFolder = v.InferOutput<typeof PutFolder>;

/** How a file came to be where it is. */
export const Outcome = v.picklist(["stored", "unchanged", "skipped"]);
export type Outcome = v.InferOutput<typeof Outcome>;

/** A record of the server's body in `put`. */
export const PutAnswer = v.variant("state", [
  /** Send these parts of the file, then SEAL: at first what is missing, later what arrived damaged or not at all. */
  v.object({ id: fileId, state: v.literal("ready"), ranges: v.array(Range) }),
  /** The file is stored, durably, or need not be. */
  v.object({ id: fileId, state: v.literal("done"), path, outcome: Outcome }),
  v.object({ id: fileId, state: v.literal("failed"), code: count, message: v.pipe(v.string(), v.maxLength(1024)) }),
]);
export type PutAnswer = v.InferOutput<typeof PutAnswer>;

export const RemoveParams = v.object({
  path: askedPath,
  /** Also a folder that is not empty. */
  recursive: v.optional(v.boolean(), false),
});
export const RenameParams = v.object({ from: askedPath, to: askedPath, overwrite: v.optional(v.boolean(), false) });

export const DigestParams = v.object({ path: askedPath });
export const DigestResult = v.object({
  ...facts,
  /** SHA-256 of the whole file, 64 lower-case hexadecimal digits. */
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "not a SHA-256 digest")),
});
export type DigestResult = v.InferOutput<typeof DigestResult>;

export const WatchParams = v.pipe(
  v.object(asked),
  v.check((params) => isOneAtMost(params), "either glob or path"),
);

const present = { path, kind: EntryKind, size: count, modifiedAt: timestamp };

/** A record of the body of `watch`. `removed` stands for all below a folder as well. */
export const Change = v.variant("change", [
  v.object({ change: v.literal("added"), ...present }),
  v.object({ change: v.literal("changed"), ...present }),
  v.object({ change: v.literal("removed"), path }),
  /**
   * So many changes came faster than they were read, and are not told. `message`: why, or with a count of 0 that changes
   * are told later than they happen.
   */
  v.object({ change: v.literal("missed"), count, message: v.optional(v.string()) }),
]);
export type Change = v.InferOutput<typeof Change>;

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

const tokenName = v.pipe(v.string(), v.minLength(1), v.maxLength(64));

export const IssueTokenParams = v.object({
  name: tokenName,
  role: Role,
  /** Absent: never. */
  expiresAt: v.optional(count),
  /** `HOST:PORT` for the invite; absent: what the server knows of itself. */
  addresses: v.optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(300))), v.minLength(1), v.maxLength(16))),
});
export const IssueTokenResult = v.object({
  /** `NAME:SECRET`, told this once. */
  token: v.string(),
  invite: v.string(),
});
export type IssueTokenResult = v.InferOutput<typeof IssueTokenResult>;

export const RevokeTokenParams = v.object({ name: tokenName });

/** A record of the body of `tokens`. */
export const TokenRecord = v.object({
  name: tokenName,
  role: Role,
  createdAt: timestamp,
  expiresAt: v.nullable(timestamp),
});
export type TokenRecord = v.InferOutput<typeof TokenRecord>;

export const KickParams = v.object({ name, reason: v.optional(v.pipe(v.string(), v.maxLength(256))) });
export const DrainParams = v.object({ on: v.boolean() });
export const Nothing = v.object({});

/** A record of the body of `unfinished`: what is left of a transfer. */
export const UnfinishedRecord = v.object({ path, size: count, modifiedAt: timestamp });
export type UnfinishedRecord = v.InferOutput<typeof UnfinishedRecord>;

/** What happens at the server, for its operator: the body records of `events`, and the log. */
export type ServerEvent =
  | { event: "listening"; address: string }
  | { event: "joined"; name: string; address: string; role: Role; token?: string }
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
  /** `count`: it stands for so many of one address and code. */
  | { event: "refused"; address: string; code: EventCode; message: string; count?: number }
  | { event: "message"; from: string; to: string; text: string }
  /** `count`: it stands for so many of one session and code. */
  | { event: "failed"; name: string; method: string; code: EventCode; message: string; count?: number }
  | { event: "stored"; name: string; path: string; size: number }
  | { event: "removed"; name: string; path: string }
  | { event: "renamed"; name: string; from: string; to: string }
  | { event: "away"; name: string; address: string; message: string }
  | { event: "returned"; name: string; address: string }
  | { event: "cleaned"; path: string; size: number }
  | { event: "issued"; name: string; token: string; role: Role }
  | { event: "revoked"; name: string; token: string }
  | { event: "draining"; on: boolean }
  | { event: "stopping"; message: string }
  | { event: "warning"; message: string };

/** The least that a reader of `events` may rely on; newer servers may have other events. */
export const EventRecord = v.looseObject({ event: v.string() });
export type EventRecord = v.InferOutput<typeof EventRecord>;
