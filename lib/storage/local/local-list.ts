import { lstat } from "node:fs/promises";
import { errnoOf } from "../../errno.ts";
import { StorageError } from "../../errors.ts";
import { baseName, joinPath, pathFault } from "../../path.ts";
import type { NodeStats } from "../../platform/stat-calls.ts";
import { Yielder } from "../../yielder.ts";
import { isOutOfFiles } from "../disk-error.ts";
import type { LeftOut, ListOptions, StorageEntry } from "../storage.ts";
import { diskClock } from "./disk-clock.ts";
import { readFolder } from "./folder-reader.ts";
import type { Folders } from "./folders.ts";
import { entryOf } from "./local-file.ts";
import { fromLocalName } from "./names/local-names.ts";
import { isUnfinished } from "./names/part-names.ts";
import type { OpenFolder } from "./open-folder.ts";
import { TimedCalls } from "./timed-calls.ts";

/** Folders up to this size are sorted by name; larger ones come in the order of the disk. */
const SORTED_NAMES = 10_000;
/** The number of entries whose details are read at once. */
const BATCH_ENTRIES = 128;

/**
 * Everything below a folder, depth first. It holds only the names of one sorted folder per level, never those of a
 * large one.
 */
export async function* listFolder(
  folders: Folders,
  path: string,
  options: ListOptions,
  yielder = new Yielder(diskClock),
  holder?: OpenFolder,
): AsyncGenerator<StorageEntry[], void> {
  let folder: OpenFolder | undefined;
  try {
    // Check again: the folder may have become a link out of the repository.
    folder = holder === undefined ? folders.open(path) : folders.openIn(holder, baseName(path), path);
    let pending: string[] = [];
    let large = false;
    const stray = (bytes: Uint8Array) =>
      leaveOut(options, { name: joinPath(path, lossy.decode(bytes)), code: "BAD_PATH" });
    for (const names of readFolder(folder.at("."), stray)) {
      for (const name of names) if (name !== undefined && !isUnfinished(name)) pending.push(name);
      large ||= pending.length > SORTED_NAMES;
      if (!large) continue;
      yield* listNames(folders, folder, path, pending, options, yielder);
      pending = [];
    }
    yield* listNames(folders, folder, path, pending.sort(), options, yielder);
  } catch (cause) {
    const isItsOwn = errnoOf(cause) !== "" || cause instanceof StorageError;
    if (!isItsOwn || isOutOfFiles(cause)) throw cause;
    leaveOut(options, { name: path, code: isGone(cause) ? "NOT_FOUND" : "UNREADABLE" });
  } finally {
    folder?.release();
  }
}

const lossy = new TextDecoder();

function leaveOut(options: ListOptions, left: LeftOut): void {
  if (options.skipped !== undefined) options.skipped.count++;
  options.onLeftOut?.(left);
}

async function* listNames(
  folders: Folders,
  folder: OpenFolder,
  path: string,
  names: readonly string[],
  options: ListOptions,
  yielder: Yielder,
): AsyncGenerator<StorageEntry[], void> {
  for (let start = 0; start < names.length; start += BATCH_ENTRIES) {
    if (yielder.isDue) await yielder.pause();
    const found = await lookAtAll(folders, folder, path, names.slice(start, start + BATCH_ENTRIES));
    let batch: StorageEntry[] = [];
    for (const entry of found) {
      if (entry === HIDDEN) continue;
      if ("code" in entry) {
        leaveOut(options, entry);
        continue;
      }
      batch.push(entry);
      if (entry.kind === "folder" && options.enter(entry.path)) {
        yield batch;
        batch = [];
        yield* listFolder(folders, entry.path, options, yielder, folder);
      }
    }
    if (batch.length > 0) yield batch;
  }
}

/** In place of an entry: treat it as missing. */
export const HIDDEN = "hidden";
export type Found = StorageEntry | typeof HIDDEN | undefined;

/**
 * The entries for these names, or why they are left out. The system answers from memory quicker than another thread
 * could; from the first answer on that waits for the disk, other threads wait for the rest.
 */
async function lookAtAll(
  folders: Folders,
  folder: OpenFolder,
  parent: string,
  names: readonly string[],
): Promise<(StorageEntry | typeof HIDDEN | LeftOut)[]> {
  const found: (StorageEntry | typeof HIDDEN | LeftOut)[] = [];
  const calls = new TimedCalls();
  for (const local of names) {
    const name = fromLocalName(local);
    found.push(nameFound(folders, folder, joinPath(parent, name), folder.glance(name)));
    if (!calls.hasWaited()) continue;
    const rest = names.slice(found.length).map(async (later) => {
      const name = fromLocalName(later);
      const stats = await lstat(folder.at(name), { bigint: true }).catch(() => undefined);
      return nameFound(folders, folder, joinPath(parent, name), stats);
    });
    return [...found, ...(await Promise.all(rest))];
  }
  return found;
}

/** What a list has of a name that its folder has. `stats`: undefined where the system gave none. */
function nameFound(
  folders: Folders,
  folder: OpenFolder,
  path: string,
  stats: NodeStats | undefined,
): StorageEntry | typeof HIDDEN | LeftOut {
  const found = entryFor(folders, folder, path, stats);
  // Private names are not even reported as left out.
  if (found === HIDDEN) return HIDDEN;
  if (!isPath(folders, path)) return { name: path, code: "BAD_PATH" };
  return found ?? absent(folder, path);
}

/** False for a name that no repository can have, and for a path that is too long for the system. */
function isPath(folders: Folders, path: string): boolean {
  return pathFault(path) === undefined && folders.tree.isShort(path);
}

/** A name without an entry: it may have just been removed. */
function absent(folder: OpenFolder, path: string): LeftOut | typeof HIDDEN {
  try {
    folder.look(baseName(path));
    return HIDDEN; // it exists again
  } catch (cause) {
    return isGone(cause) ? HIDDEN : { name: path, code: "UNREADABLE" };
  }
}

function isGone(cause: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes(errnoOf(cause));
}

function entryFor(folders: Folders, folder: OpenFolder, path: string, stats: NodeStats | undefined): Found {
  if (stats === undefined) return undefined;
  const entry = entryOf(path, stats);
  if (folders.guard.isHidden(entry, stats, folder)) return HIDDEN;
  return entry.kind === "link" ? lookThrough(folders, path, stats) : entry;
}

/**
 * The entry that list() would give for a path whose folder is open; HIDDEN when list() leaves it out, undefined when it
 * is not there.
 *
 * @throws the system's error out of files
 */
export function lookIn(folders: Folders, folder: OpenFolder, path: string): Found {
  return entryFor(folders, folder, path, folder.glance(baseName(path)));
}

/** A link to a file inside is listed as that file; any other stays a link. @throws the system's error out of files */
function lookThrough(folders: Folders, path: string, link: NodeStats): StorageEntry {
  try {
    const target = folders.look(path);
    if (target.isFile()) return entryOf(path, target);
  } catch (cause) {
    // Any other error: it dangles, or leads out.
    if (isOutOfFiles(cause)) throw cause;
  }
  return entryOf(path, link);
}
