import * as v from "valibot";
import { askedPath, count, mode, path, timestamp } from "../shapes.ts";

/**
 * The repository's entries and their changes: `list`, `stat`, `watch`, `remove`, `rename`. Source: PROTOCOL.md,
 * "Methods".
 */

export const EntryKind = v.picklist(["file", "folder", "link", "other"]);

/** One entry of the repository. `link` is a symbolic link that is not followed, `other` a device or the like. */
export const Entry = v.object({
  path,
  kind: EntryKind,
  /** Bytes; 0 for anything but a file. */
  size: count,
  modifiedAt: timestamp,
  /** In lists, and only for folders. */
  mode,
});
export type Entry = v.InferOutput<typeof Entry>;

/** The subject of a `list` or a `watch`. */
const asked = {
  /** A pattern, a folder or a file; absent: everything. */
  glob: v.optional(askedPath),
  /** Instead of `glob`: a folder or a file whose name may look like a pattern. */
  path: v.optional(askedPath),
};
function isOneAtMost({ glob, path }: { glob?: string | undefined; path?: string | undefined }): boolean {
  return glob === undefined || path === undefined;
}

export const ListParams = v.pipe(
  v.object({
    ...asked,
    /** Also list the folders above a pattern's matches, each before its contents. */
    parents: v.optional(v.boolean(), false),
  }),
  v.check((params) => isOneAtMost(params), "either glob or path"),
);

/** The most entries that the trailer of a list names, and the longest names. */
export const MAX_LEFT_OUT = 100;
export const MAX_LEFT_OUT_NAME = 1024;

export const ListTrailer = v.object({
  entries: count,
  /**
   * The number of entries whose names are not repository paths, and of folders that can't be read or have disappeared
   * since they were listed.
   */
  skipped: count,
  /** How many of these the server may not read. */
  unreadable: v.optional(count),
  /** The first of these. A name need not be a path, and is cut if it is too long. */
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
  /** Differs when the content may have changed; an opaque value to compare. */
  etag: v.string(),
});
export type StatResult = v.InferOutput<typeof StatResult>;

export const RemoveParams = v.object({
  path: askedPath,
  /** Also remove a folder that is not empty. */
  recursive: v.optional(v.boolean(), false),
});
export const RenameParams = v.object({ from: askedPath, to: askedPath, overwrite: v.optional(v.boolean(), false) });

export const WatchParams = v.pipe(
  v.object(asked),
  v.check((params) => isOneAtMost(params), "either glob or path"),
);

const present = { path, kind: EntryKind, size: count, modifiedAt: timestamp };

/** A record of the body of `watch`. `removed` of a folder includes all below it. */
export const Change = v.variant("change", [
  v.object({ change: v.literal("added"), ...present }),
  v.object({ change: v.literal("changed"), ...present }),
  v.object({ change: v.literal("removed"), path }),
  /**
   * `count` changes came faster than they were read, and are not reported. `message` says why, or with a count of 0 that
   * changes are reported late.
   */
  v.object({ change: v.literal("missed"), count, message: v.optional(v.string()) }),
]);
export type Change = v.InferOutput<typeof Change>;
