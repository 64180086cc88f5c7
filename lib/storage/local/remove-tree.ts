import fs from "node:fs";
import { rmdir, unlink } from "node:fs/promises";
import { sep } from "node:path";
import { errnoOf } from "../../errno.ts";
import { Yielder } from "../../yielder.ts";
import { diskClock } from "./disk-clock.ts";
import { type FolderEntry, readEntries } from "./folder-reader.ts";
import { type FolderCheck, OpenFolder } from "./open-folder.ts";

/**
 * The number of files that are removed at once. Each may wait for a disk, or until the system has freed a large file.
 */
const MAX_REMOVING = 16;
/** The most rounds for a folder that others fill while it is emptied. */
const MAX_ROUNDS = 8;

export interface RemoveTreeOptions {
  /**
   * Called with each entry before it is removed, and with each folder before it is entered; `name` is undefined when it
   * is not UTF-8. An error that it throws ends the removal.
   */
  check?(holder: OpenFolder, name: string | undefined): void;
  /** Called by OpenFolder.open() for each folder, before anything in it is removed. */
  readonly inspect?: FolderCheck;
  /** Aborts when nobody wants the removal any more: what is still there stays. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Remove the folder `name` in `holder` with everything below it, taking turns with other work. Links are removed, not
 * followed; each folder is held open while it is emptied, so that nobody can put another in its place.
 *
 * @throws the system's error; what `check` throws; the signal's reason
 */
export async function removeTree(holder: OpenFolder, name: string, options: RemoveTreeOptions = {}): Promise<void> {
  await removeFolder(holder, { name, isFolder: true }, { ...options, yielder: new Yielder(diskClock) });
}

interface Removal extends RemoveTreeOptions {
  readonly yielder: Yielder;
}

async function removeFolder(holder: OpenFolder, entry: FolderEntry, removal: Removal): Promise<void> {
  removal.check?.(holder, entry.name);
  const place = placeOf(holder, entry);
  const folder = OpenFolder.open(place, removal.inspect); // below a folder that is inside the tree
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
  } catch (cause) {
    // Another removal was faster, which is fine.
    if (errnoOf(cause) !== "ENOENT" || !folder.isGone) throw cause;
  } finally {
    folder.release();
  }
}

/**
 * Other threads remove the files, several at once, so that a busy disk does not block everything else. Then folder by
 * folder.
 */
async function removeAll(folder: OpenFolder, entries: readonly FolderEntry[], removal: Removal): Promise<void> {
  const folders: FolderEntry[] = [];
  const left = entries.values();
  const work = async () => {
    for (const entry of left) {
      removal.signal?.throwIfAborted();
      if (isFolder(folder, entry)) {
        folders.push(entry);
        continue;
      }
      removal.check?.(folder, entry.name);
      await removeFile(folder, entry);
      if (removal.yielder.isDue) await removal.yielder.pause();
    }
  };
  // Wait for all of them: nothing may be removed after the removal has failed.
  const ends = await Promise.allSettled(Array.from({ length: MAX_REMOVING }, work));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  for (const entry of folders) await removeFolder(folder, entry, removal).catch(unlessGone);
}

function isFolder(holder: OpenFolder, entry: FolderEntry): boolean {
  return entry.isFolder ?? fs.lstatSync(placeOf(holder, entry), { throwIfNoEntry: false })?.isDirectory() ?? false;
}

async function removeFile(holder: OpenFolder, entry: FolderEntry): Promise<void> {
  await unlink(placeOf(holder, entry)).catch(unlessGone);
}

function unlessGone(cause: unknown): void {
  if (errnoOf(cause) !== "ENOENT") throw cause;
}

/** A path for the system, whatever bytes are in the name. */
function placeOf(holder: OpenFolder, { name, bytes }: FolderEntry): string | Buffer {
  if (name !== undefined) return holder.at(name);
  return Buffer.concat([Buffer.from(holder.at(".") + sep), bytes ?? new Uint8Array()]);
}
