import fs, { type Stats } from "node:fs";
import { dirname } from "node:path";
import { realPath } from "../storage/local/real-path.ts";
import { HAS_MODES } from "../storage/local/rights.ts";

/** What other users of this machine can do with a file that should belong to one user alone. */
export interface Exposure {
  readonly canRead: boolean;
  /** Of a folder: add, remove and replace its files. Of a socket: connect. */
  readonly canWrite: boolean;
  /** A user other than this one and root owns it, and so can do everything with it. */
  readonly isAnothers: boolean;
  /** The mode in octal: `0755`. */
  readonly mode: string;
}

const NOTHING: Exposure = { canRead: false, canWrite: false, isAnothers: false, mode: "" };

/**
 * What others can do with the file or folder at `path`, links followed. On disks that keep no permissions (FAT, NTFS,
 * exFAT), those that the system reports count.
 */
export function exposureOf(path: string): Exposure {
  if (!HAS_MODES) return NOTHING;
  try {
    const real = realPath(path);
    return canReach(real) ? exposureBy(fs.statSync(real)) : NOTHING;
  } catch {
    return NOTHING; // it does not exist
  }
}

function exposureBy(stats: Stats): Exposure {
  const { mode, uid } = stats;
  return {
    canRead: (mode & 0o044) !== 0,
    canWrite: (mode & 0o022) !== 0,
    isAnothers: isAnother(uid),
    mode: `0${(mode & 0o777).toString(8).padStart(3, "0")}`,
  };
}

function isAnother(uid: number): boolean {
  return uid !== 0 && uid !== process.geteuid?.();
}

/** True when others may enter all folders above it. */
function canReach(path: string): boolean {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const { mode, uid } = fs.statSync(folder);
    if ((mode & 0o011) === 0 && !isAnother(uid)) return false;
    if (folder === dirname(folder)) return true;
  }
}
