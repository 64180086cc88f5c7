import fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { StorageError } from "../errors.ts";
import { quote } from "../path.ts";
import { errnoOf } from "./disk-error.ts";
import { isOwnDisk } from "./disk-kind.ts";
import { LockFolder } from "./lock-folder.ts";
import { namingLock, uniqueLockName } from "./part-names.ts";

/** Another needs the moment of two calls of the system; who died in it is found out at once, or after a while elsewhere. */
const PATIENCE_MS = 1_000;

/** Rename where nothing is; false when something is. @throws StorageError BUSY; the system's error */
export function renameNew(from: string, to: string): boolean {
  if (isThere(to)) return false;
  if (fs.lstatSync(from).isDirectory()) {
    fs.renameSync(from, to);
    return true;
  }
  try {
    fs.linkSync(from, to);
  } catch (cause) {
    if (errnoOf(cause) === "EEXIST") return false;
    return renameLocked(from, to);
  }
  fs.unlinkSync(from);
  return true;
}

/**
 * Where the system has neither a rename that replaces nothing nor hard links (FAT without renameat2(2), some networks):
 * a look, and then the rename. The lock keeps other programs of this kind out between the two; against others the look
 * is the best there is.
 */
function renameLocked(from: string, to: string): boolean {
  const folder = dirname(to);
  const lock = takeNaming(folder, basename(to));
  try {
    if (isThere(to)) return false;
    fs.renameSync(from, to);
    return true;
  } finally {
    lock.release();
  }
}

/** @throws StorageError BUSY; the system's error */
function takeNaming(folder: string, name: string): LockFolder {
  const ground = { flockedOn: "0", isOwnDisk: isOwnDisk(folder) };
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const lock = LockFolder.take(join(folder, namingLock(name)), join(folder, uniqueLockName(name)), ground);
    if (lock !== undefined) return lock;
    if (performance.now() >= until)
      throw new StorageError("BUSY", `Another file is about to get the name ${quote(name)}.`);
    Bun.sleepSync(1);
  }
}

function isThere(place: string): boolean {
  return fs.lstatSync(place, { throwIfNoEntry: false }) !== undefined;
}
