import * as v from "valibot";
import { Role } from "../messages.ts";
import { askedPath, count, name, path, timestamp } from "../shapes.ts";

/** Methods for operators only: tokens, links, `kick`, `drain`, `unfinished`. Source: PROTOCOL.md, "Methods". */

const linkName = v.pipe(v.string(), v.minLength(1), v.maxLength(64));
const tokenName = v.pipe(v.string(), v.minLength(1), v.maxLength(64));

/** The most sessions that a limited token may be for. */
export const MAX_USES = 1_000_000;

/** How often a token admits; absent: any number of times. */
const uses = v.optional(v.pipe(count, v.minValue(1), v.maxValue(MAX_USES)));

/** What a limited token is limited to. Source: PROTOCOL.md, "Limited tokens". */
const limits = {
  /** The folder that is its whole repository. */
  folder: v.optional(path),
  /** The most bytes that the folder may hold. */
  quotaBytes: v.optional(count),
  /** Its sessions only put files, and see nothing. */
  drop: v.optional(v.boolean()),
  uses,
  /** How often it will admit. */
  usesLeft: v.optional(count),
};

export const IssueTokenParams = v.object({
  name: tokenName,
  role: Role,
  /** Absent: never. */
  expiresAt: v.optional(count),
  /** `HOST:PORT` for the invite; absent: the server's own addresses. */
  addresses: v.optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(300))), v.minLength(1), v.maxLength(16))),
  /** As in `limits`. */
  folder: v.optional(askedPath),
  quotaBytes: v.optional(count),
  drop: v.optional(v.boolean()),
  uses,
});
export const IssueTokenResult = v.object({
  /** `NAME:SECRET`; only this answer has it. */
  token: v.string(),
  invite: v.string(),
  /** The limits that it got: a server that knows none would have left them out. */
  ...limits,
});
export type IssueTokenResult = v.InferOutput<typeof IssueTokenResult>;

/** The shortest and longest life of a code, and how long it lives if nothing else is said. In milliseconds. */
export const MIN_CODE_MS = 60_000;
export const MAX_CODE_MS = 24 * 3_600_000;
export const CODE_MS = 10 * 60_000;

export const IssueCodeParams = v.object({
  ...IssueTokenParams.entries,
  /** How long the code lives; absent: 10 minutes. */
  lifeMs: v.optional(v.pipe(count, v.minValue(MIN_CODE_MS), v.maxValue(MAX_CODE_MS)), CODE_MS),
});
export const IssueCodeResult = v.object({
  /** Only this answer has it. */
  code: v.pipe(v.string(), v.maxLength(64)),
  endsAt: timestamp,
  /** `HOST:PORT` of the server, as a new client reaches it. */
  address: v.pipe(v.string(), v.maxLength(300)),
  isPlaintext: v.boolean(),
  /** Whether the server announces itself, so that a client in its network finds it. */
  isAnnounced: v.boolean(),
});
export type IssueCodeResult = v.InferOutput<typeof IssueCodeResult>;

export const RevokeTokenParams = v.object({ name: tokenName });

/** A record of the body of `tokens`. */
export const TokenRecord = v.object({
  name: tokenName,
  role: Role,
  createdAt: timestamp,
  expiresAt: v.nullable(timestamp),
  ...limits,
});
export type TokenRecord = v.InferOutput<typeof TokenRecord>;

export const IssueLinkParams = v.object({
  path: askedPath,
  /** Absent: a week from now. */
  expiresAt: v.optional(count),
});
export const IssueLinkResult = v.object({
  name: linkName,
  expiresAt: timestamp,
  /** The address, with its secret; only this answer has it. */
  url: v.string(),
});
export type IssueLinkResult = v.InferOutput<typeof IssueLinkResult>;

export const RevokeLinkParams = v.object({ name: linkName });

/** A record of the body of `links`. */
export const LinkRecord = v.object({ name: linkName, path, createdAt: timestamp, expiresAt: timestamp });
export type LinkRecord = v.InferOutput<typeof LinkRecord>;

export const KickParams = v.object({ name, reason: v.optional(v.pipe(v.string(), v.maxLength(256))) });
export const DrainParams = v.object({ on: v.boolean() });

/** A record of the body of `unfinished`: an unfinished file. */
export const UnfinishedRecord = v.object({ path, size: count, modifiedAt: timestamp });
export type UnfinishedRecord = v.InferOutput<typeof UnfinishedRecord>;
