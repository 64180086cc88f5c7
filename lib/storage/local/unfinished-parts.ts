import fs from "node:fs";
import { lstat } from "node:fs/promises";
import { baseName, joinPath, parentOf, pathFault } from "../../path.ts";
import type { Owner } from "../../storage-faults.ts";
import { Yielder } from "../../yielder.ts";
import { writeError } from "../disk-error.ts";
import type { Unfinished } from "../storage.ts";
import { diskClock } from "./disk-clock.ts";
import { isOwnDisk } from "./disk-kind.ts";
import { readEntries } from "./folder-reader.ts";
import type { Folders } from "./folders.ts";
import { JournalLock } from "./locks/journal-lock.ts";
import { LockFolder } from "./locks/lock-folder.ts";
import { fromLocalName } from "./names/local-names.ts";
import { isTrial, isUnfinished, siblingNames, uniqueLockName } from "./names/part-names.ts";
import type { OpenFolder } from "./open-folder.ts";

/**
 * Unfinished files below a folder, and journals that a crash left without one. Links are not followed. Only entries
 * with such names are examined; of all other files, only the names are read, yielding in between.
 */
export async function* findUnfinished(
  folders: Folders,
  path = "",
  yielder = new Yielder(diskClock),
): AsyncGenerator<Unfinished, void> {
  let folder: OpenFolder;
  try {
    folder = folders.open(path);
  } catch {
    return; // removed, or unreadable
  }
  try {
    for (const entries of readEntries(folder.at("."))) {
      for (const { name: local, isFolder } of entries) {
        if (yielder.isDue) await yielder.pause();
        const name = local === undefined ? undefined : fromLocalName(local);
        if (name === undefined || (isFolder === false && !isUnfinished(name))) continue;
        const stats = await lstat(folder.at(name)).catch(() => undefined);
        const below = joinPath(path, name);
        if (stats?.isDirectory() && isUnfinished(name)) {
          if (isLeftAlone(folder, name)) yield { path: below, size: 0, modifiedAt: Math.trunc(stats.ctimeMs) };
        }
        // Each level is held open: go no deeper than a path can be.
        else if (stats?.isDirectory() && pathFault(below) === undefined) yield* findUnfinished(folders, below, yielder);
        else if (stats?.isFile() && isUnfinished(name)) {
          // Not the mtime: just before publish(), that is the source's. On some disks the ctime is, too.
          const touchedAt = Math.max(0, stats.ctimeMs, stats.atimeMs);
          yield { path: below, size: stats.size, modifiedAt: Math.trunc(touchedAt) };
        }
      }
    }
  } catch {
    // a folder that vanished while it was read
  } finally {
    folder.release();
  }
}

/** As removeUnfinished(), at `path`. @throws StorageError as Storage.receive() */
export function removeUnfinishedAt(folders: Folders, path: string, owner: Owner): boolean {
  let folder: OpenFolder | undefined;
  try {
    folder = folders.open(parentOf(path));
    return removeUnfinished(folder, baseName(path));
  } catch (cause) {
    throw writeError(cause, path, owner);
  } finally {
    folder?.release();
  }
}

/** Remove an unfinished file with its journal and lock. @returns false when a transfer uses it, or it is gone */
export function removeUnfinished(folder: OpenFolder, name: string): boolean {
  if (isTrial(name)) {
    // Left by a process that died during a trial. A trial that is still running ends without a result, as in a folder
    // where nothing can be created.
    fs.rmSync(folder.at(name), { recursive: true, force: true });
    return true;
  }
  const { journal, lock } = siblingNames(name);
  const right = JournalLock.takeExisting(folder, journal);
  if (right === undefined) return false;
  if (right !== "gone") {
    for (const file of new Set([name, journal])) if (file !== lock) fs.rmSync(folder.at(file), { force: true });
    right.release();
    return true;
  }
  // Without a journal nobody resumes it. A lock without a journal belongs to a process that is just finishing, or has
  // died.
  if (isThere(folder, lock)) {
    const ground = { flockedOn: "0", isOwnDisk: isOwnDisk(folder.at(".")) };
    const taken = LockFolder.take(folder.at(lock), folder.at(uniqueLockName(name)), ground);
    if (taken === undefined) return false;
    taken.release();
  }
  if (name !== lock) fs.rmSync(folder.at(name), { force: true });
  return true;
}

/** A lock without a part or journal. */
function isLeftAlone(folder: OpenFolder, name: string): boolean {
  const { part, journal, lock } = siblingNames(name);
  return name === lock && !isThere(folder, part) && !isThere(folder, journal);
}

function isThere(folder: OpenFolder, name: string): boolean {
  return fs.lstatSync(folder.at(name), { throwIfNoEntry: false }) !== undefined;
}
