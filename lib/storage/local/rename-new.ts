import fs from "node:fs";
import { errnoOf } from "../../errno.ts";
import { withNameLock } from "./locks/name-lock.ts";

/** Rename unless something is there; then return false. @throws StorageError BUSY; the system's error */
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
    // There is neither a rename that replaces nothing nor hard links (FAT without renameat2(2), some network shares):
    // check, then rename. A lock keeps out other programs of ours in between; for all others, the check must do.
    return withNameLock(to, () => renameAfterLook(from, to));
  }
  fs.unlinkSync(from);
  return true;
}

function renameAfterLook(from: string, to: string): boolean {
  if (isThere(to)) return false;
  fs.renameSync(from, to);
  return true;
}

function isThere(place: string): boolean {
  return fs.lstatSync(place, { throwIfNoEntry: false }) !== undefined;
}
