import fs from "node:fs";
import { rmdir, unlink } from "node:fs/promises";
import { sep } from "node:path";
import { Pacer } from "../pacer.ts";
import { diskClock } from "./disk-clock.ts";
import { errnoOf } from "./disk-error.ts";
import { type FolderEntry, readEntries } from "./folder-reader.ts";
import { type FolderCheck, OpenFolder } from "./open-folder.ts";

/** A file above this takes the system a while to give back. */
const LARGE_BYTES = 64 * 1024 * 1024;
/** A step that takes longer waits for a disk: those behind it wait in other threads. */
const SLOW_MS = 0.5;
/** Of those, so many at once. */
const MAX_WAITING = 16;
/** A folder that others fill while it is emptied is left after so many rounds. */
const MAX_ROUNDS = 8;

export interface RemoveTreeOptions {
  /**
   * Called with each thing before it is removed, and with each folder before it is entered; `name` is undefined when it is
   * not UTF-8. What it throws ends the removal.
   */
  check?(holder: OpenFolder, name: string | undefined): void;
  /** As OpenFolder.open() calls it, for each folder before anything in it is removed. */
  readonly inspect?: FolderCheck;
  /** Aborted when nobody wants it any more: what is still there stays. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Remove the folder `name` in `holder` with all below it, in turns with all else. Links are removed and not followed; each
 * folder is held open while it is emptied, so that nobody can put another in its place.
 *
 * @throws the system's error; what `check` throws; the signal's reason
 */
export async function removeTree(holder: OpenFolder, name: string, options: RemoveTreeOptions = {}): Promise<void> {
  await removeFolder(holder, { name, isFolder: true }, { ...options, pacer: new Pacer(diskClock) });
}

interface Removal extends RemoveTreeOptions {
  readonly pacer: Pacer;
}

async function removeFolder(holder: OpenFolder, entry: FolderEntry, removal: Removal): Promise<void> {
  removal.check?.(holder, entry.name);
  const place = placeOf(holder, entry);
  const folder = OpenFolder.open(place, removal.inspect); // below one that is inside
  try {
    for (let round = 1; ; round++) {
      for (const entries of readEntries(folder.at("."))) await removeAll(folder, entries, removal);
      try {
        return await rmdir(place);
      } catch (cause) {
        const isFilled = ["ENOTEMPTY", "EEXIST"].includes(errnoOf(cause));
        if (!isFilled || round === MAX_ROUNDS) throw cause;
      }
    }
  } finally {
    folder.release();
  }
}

async function removeAll(folder: OpenFolder, entries: readonly FolderEntry[], removal: Removal): Promise<void> {
  // An iterator, of which others may take what is left.
  const left = entries.values();
  for (const entry of left) {
    if (removal.pacer.isDue) await removal.pacer.pause();
    removal.signal?.throwIfAborted();
    const startedAt = performance.now();
    const size = sizeOf(folder, entry);
    if (size === "folder") {
      await removeFolder(folder, entry, removal);
      continue;
    }
    removal.check?.(folder, entry.name);
    if (size > LARGE_BYTES) await removeFile(folder, entry);
    else fs.rmSync(placeOf(folder, entry), { force: true });
    if (size <= LARGE_BYTES && performance.now() - startedAt >= SLOW_MS) await removeInThreads(folder, left, removal);
  }
}

/** As removeAll(), the files by several threads at once. */
async function removeInThreads(
  folder: OpenFolder,
  left: IterableIterator<FolderEntry>,
  removal: Removal,
): Promise<void> {
  const folders: FolderEntry[] = [];
  const work = async () => {
    for (const entry of left) {
      removal.signal?.throwIfAborted();
      if (sizeOf(folder, entry) === "folder") {
        folders.push(entry);
        continue;
      }
      removal.check?.(folder, entry.name);
      await removeFile(folder, entry);
    }
  };
  // All of them are heard to their end: nothing is removed after the removal has failed.
  const ends = await Promise.allSettled(Array.from({ length: MAX_WAITING }, work));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  for (const entry of folders) await removeFolder(folder, entry, removal);
}

/** Bytes of what is no folder; 0 when it is gone. */
function sizeOf(holder: OpenFolder, entry: FolderEntry): number | "folder" {
  if (entry.isFolder === true) return "folder";
  const stats = fs.lstatSync(placeOf(holder, entry), { throwIfNoEntry: false });
  return stats?.isDirectory() ? "folder" : (stats?.size ?? 0);
}

async function removeFile(holder: OpenFolder, entry: FolderEntry): Promise<void> {
  await unlink(placeOf(holder, entry)).catch((cause) => {
    if (errnoOf(cause) !== "ENOENT") throw cause;
  });
}

/** By which the system reaches it, whatever its name is made of. */
function placeOf(holder: OpenFolder, { name, bytes }: FolderEntry): string | Buffer {
  if (name !== undefined) return holder.at(name);
  return Buffer.concat([Buffer.from(holder.at(".") + sep), bytes ?? new Uint8Array()]);
}
