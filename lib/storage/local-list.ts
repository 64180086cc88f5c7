import type { BigIntStats } from "node:fs";
import { lstat } from "node:fs/promises";
import { StorageError } from "../errors.ts";
import { pathFault } from "../path.ts";
import { errnoOf } from "./disk-error.ts";
import { type FolderName, readFolder } from "./folder-reader.ts";
import type { Folders } from "./folders.ts";
import { entryOf } from "./local-file.ts";
import { fromLocalName } from "./local-names.ts";
import type { OpenFolder } from "./open-folder.ts";
import { isUnfinished } from "./part-names.ts";
import type { ListOptions, StorageEntry } from "./storage.ts";

/** Folders up to here are sorted by name; larger ones come as they are stored. */
const SORTED_NAMES = 10_000;
/** Entries whose details are asked for at once. */
const BATCH_ENTRIES = 128;

/** All below a folder, depth first. Only the names of one sorted folder per level are held, never those of a large one. */
export async function* listFolder(
  folders: Folders,
  path: string,
  options: ListOptions,
): AsyncGenerator<StorageEntry[], void> {
  let folder: OpenFolder | undefined;
  try {
    // Resolved now: what was a folder may have become a link out of the repository.
    folder = folders.open(path);
    let pending: FolderName[] = [];
    let large = false;
    for (const names of readFolder(folder.at("."))) {
      for (const name of names) if (name === undefined || !isUnfinished(name)) pending.push(name);
      large ||= pending.length > SORTED_NAMES;
      if (!large) continue;
      yield* listNames(folders, folder, path, pending, options);
      pending = [];
    }
    yield* listNames(folders, folder, path, pending.sort(), options);
  } catch (cause) {
    if (errnoOf(cause) === "" && !(cause instanceof StorageError)) throw cause;
    options.skipped.count++;
  } finally {
    folder?.release();
  }
}

async function* listNames(
  folders: Folders,
  folder: OpenFolder,
  path: string,
  names: readonly FolderName[],
  options: ListOptions,
): AsyncGenerator<StorageEntry[], void> {
  for (let start = 0; start < names.length; start += BATCH_ENTRIES) {
    const found = await Promise.all(
      names.slice(start, start + BATCH_ENTRIES).map((name) => look(folders, folder, path, name)),
    );
    let batch: StorageEntry[] = [];
    for (const entry of found) {
      if (entry === undefined) {
        options.skipped.count++;
        continue;
      }
      batch.push(entry);
      if (entry.kind === "folder" && options.enter(entry.path)) {
        yield batch;
        batch = [];
        yield* listFolder(folders, entry.path, options);
      }
    }
    if (batch.length > 0) yield batch;
  }
}

/** The entry for a name in a folder; undefined when it can't be served or has just gone. */
async function look(
  folders: Folders,
  folder: OpenFolder,
  parent: string,
  localName: FolderName,
): Promise<StorageEntry | undefined> {
  if (localName === undefined) return undefined;
  const name = fromLocalName(localName);
  const path = parent === "" ? name : `${parent}/${name}`;
  if (pathFault(path) !== undefined) return undefined;
  try {
    const stats = await lstat(folder.at(name), { bigint: true });
    return stats.isSymbolicLink() ? await lookThrough(folders, path, stats) : entryOf(path, stats);
  } catch {
    return undefined;
  }
}

/** A link to a file inside is told as that file; any other stays a link. */
async function lookThrough(folders: Folders, path: string, link: BigIntStats): Promise<StorageEntry> {
  try {
    const target = await lstat(folders.resolve(path), { bigint: true });
    if (target.isFile()) return entryOf(path, target);
  } catch {
    // dangling or leading out
  }
  return entryOf(path, link);
}
