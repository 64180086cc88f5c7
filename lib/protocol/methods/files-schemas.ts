import * as v from "valibot";
import { TAG_KEY_BYTES } from "../../block.ts";
import { MAX_HOLES } from "../../holes.ts";
import { MAX_OFFERED_BYTES } from "../patch.ts";
import { askedPath, count, mode, path, timestamp } from "../shapes.ts";

/** How files move: `get`, `put`, `digest`. Source: PROTOCOL.md, "Methods". */

/** Number of a request inside a `get` or `put`, chosen by the client. */
const fileId = v.pipe(count, v.maxValue(0xffff_ffff));
const etag = v.pipe(v.string(), v.maxLength(128));
/** The facts of a file, besides its bytes. */
const facts = {
  size: count,
  modifiedAt: timestamp,
  /** True when its owner may execute it, if the system has such a right. */
  executable: v.boolean(),
  mode,
  /** Differs when the content may have changed; an opaque value to compare. */
  etag,
};

/** As in lib/block.ts. */
const Range = v.tuple([count, count]);
/** Parts of the file that are all zeros and are not sent. Source: PROTOCOL.md, "Holes". */
const holes = v.optional(v.pipe(v.array(Range), v.maxLength(MAX_HOLES)));

/** An offer of pieces. Source: PROTOCOL.md, "Patches". */
const base64 = v.pipe(v.string(), v.maxLength(Math.ceil(MAX_OFFERED_BYTES / 3) * 4), v.base64());
const tagKey = v.pipe(v.string(), v.length(Math.ceil(TAG_KEY_BYTES / 3) * 4), v.base64());

/** The facts that precede a file's bytes: the payload of FILE in a `get`. */
export const FileFacts = v.object({ ...facts, holes });
export type FileFacts = v.InferOutput<typeof FileFacts>;

/** A record of the client's body in `get`: a file, or the part of it from `offset` on. */
export const GetRequest = v.object({
  id: fileId,
  path: askedPath,
  /** A multiple of the block size. */
  offset: v.optional(count, 0),
  /** The most bytes; absent: to the end. */
  length: v.optional(count),
  /** The file must still be in this state. */
  etag: v.optional(etag),
  /** FILE must have the SHA-256 of the whole file. */
  digest: v.optional(v.boolean(), false),
  /** FILE may have holes. */
  holes: v.optional(v.boolean(), false),
  /** Blocks may come as PATCH, with tags under this key. */
  key: v.optional(tagKey),
  /** The digests of pieces of the client's older state; with `more`, the next record has further ones. */
  pieces: v.optional(base64, ""),
  more: v.optional(v.boolean(), false),
});
export type GetRequest = v.InferInput<typeof GetRequest>;

/** What to do when the path exists already. */
export const ExistsPolicy = v.picklist(["fail", "overwrite", "skip", "rename"]);
export type ExistsPolicy = v.InferOutput<typeof ExistsPolicy>;

/** The payload of FILE in a `put`. */
export const PutFile = v.object({
  path: askedPath,
  exists: ExistsPolicy,
  ...facts,
  holes,
  /** The path of an older state of it, of which the server may offer pieces. */
  older: v.optional(askedPath),
});
export type PutFile = v.InferOutput<typeof PutFile>;

/** The payload of FOLDER in a `put`. */
export const PutFolder = v.object({ path: askedPath, mode });
export type PutFolder = v.InferOutput<typeof PutFolder>;

/** What `put` did for a file. */
export const Outcome = v.picklist(["stored", "unchanged", "skipped"]);
export type Outcome = v.InferOutput<typeof Outcome>;

/** A record of the server's body in `put`. */
export const PutAnswer = v.variant("state", [
  /** Send the blocks from `offset` on that these pieces are of, as PATCH where they have any of them. */
  v.object({ id: fileId, state: v.literal("pieces"), offset: count, key: tagKey, pieces: base64 }),
  /** Send these parts of the file, then SEAL: at first what is missing, later what arrived damaged or not at all. */
  v.object({ id: fileId, state: v.literal("ready"), ranges: v.array(Range) }),
  /** The file is durably stored, or need not be. */
  v.object({ id: fileId, state: v.literal("done"), path, outcome: Outcome }),
  v.object({ id: fileId, state: v.literal("failed"), code: count, message: v.pipe(v.string(), v.maxLength(1024)) }),
]);
export type PutAnswer = v.InferOutput<typeof PutAnswer>;

export const DigestParams = v.object({ path: askedPath });
export const DigestResult = v.object({
  ...facts,
  /** SHA-256 of the whole file, 64 lower-case hexadecimal digits. */
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "not a SHA-256 digest")),
});
export type DigestResult = v.InferOutput<typeof DigestResult>;
