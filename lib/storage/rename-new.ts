import fs from "node:fs";
import { errnoOf } from "./disk-error.ts";

/** Rename where nothing is; false when something is. @throws the system's error */
export function renameNew(from: string, to: string): boolean {
  if (fs.lstatSync(to, { throwIfNoEntry: false }) !== undefined) return false;
  if (fs.lstatSync(from).isDirectory()) {
    fs.renameSync(from, to);
    return true;
  }
  try {
    fs.linkSync(from, to);
  } catch (cause) {
    if (errnoOf(cause) === "EEXIST") return false;
    // No hard links here (FAT, some network shares): the look above is the best there is.
    fs.renameSync(from, to);
    return true;
  }
  fs.unlinkSync(from);
  return true;
}
