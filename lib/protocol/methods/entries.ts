import * as v from "valibot";
import { askedPath, count, mode, path, timestamp } from "../shapes.ts";

/** What there is in the repository and what changes there: `list`, `stat`, `watch`, `remove`, `rename`. Source: PROTOCOL.md, "Methods". */

export const EntryKind = v.picklist(["file", "folder", "link", "other"]);

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

export const RemoveParams = v.object({
  path: askedPath,
  /** Also a folder that is not empty. */
  recursive: v.optional(v.boolean(), false),
});
export const RenameParams = v.object({ from: askedPath, to: askedPath, overwrite: v.optional(v.boolean(), false) });

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
