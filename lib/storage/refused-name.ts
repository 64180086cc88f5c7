import { errnoOf } from "./disk-error.ts";
import type { OpenFolder } from "./open-folder.ts";

/** What some disk takes in no name (FAT, exFAT, NTFS). */
const DOUBTFUL = /["*:<>?\\|\p{Cc}]|[. ]$/u;

/**
 * The error of the system's that `cause` means, met while `name` was made in `folder`. Some disks say that nothing is there
 * (ENOENT) when a name has what they can't hold: exfat-fuse of characters, vfat of a name of dots alone.
 */
export function nameFault(cause: unknown, folder: OpenFolder, name: string): unknown {
  if (errnoOf(cause) !== "ENOENT" || !DOUBTFUL.test(name) || !isThere(folder)) return cause;
  return Object.assign(new Error("the disk can't hold this name", { cause }), { code: "EILSEQ" });
}

function isThere(folder: OpenFolder): boolean {
  try {
    folder.look(".");
    return !folder.isGone;
  } catch {
    return false;
  }
}
