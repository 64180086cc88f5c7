import { errnoOf } from "../../../errno.ts";
import { StorageError } from "../../../errors.ts";
import { storageFault } from "../../../storage-faults.ts";
import type { Folders } from "../folders.ts";
import { holds, isOtherMatter } from "./name-trial.ts";

/** Every system accepts a path of this many bytes. */
const SURELY_SHORT = 1023;
const ENDS = /[. ](?=\/|$)/g;

/**
 * The error when `path` could not be made because its disk can't hold one of its names; undefined when that was not the
 * reason. Disks report that in different ways (EINVAL, ENOENT, EPERM, EILSEQ, …), so the names are tried, and only
 * after a failure.
 */
export function explainName(folders: Folders, path: string, cause: unknown): StorageError | undefined {
  const errno = errnoOf(cause instanceof StorageError ? cause.cause : cause);
  if (isOtherMatter(errno)) return undefined;
  // The whole path may be too long.
  const bytes = Buffer.byteLength(folders.root) + Buffer.byteLength(path);
  return errno === "ENAMETOOLONG" && bytes > SURELY_SHORT ? undefined : nameFault(folders, path, cause);
}

/**
 * As explainName(), by trying each name of `path` that does not exist yet; also undefined when nothing can be created.
 */
export function nameFault(folders: Folders, path: string, cause?: unknown): StorageError | undefined {
  try {
    const { folder, below } = folders.nearest(path);
    try {
      return below.every((name) => holds(folder, name)) ? undefined : storageFault.unheldName(path, cause);
    } finally {
      folder.release();
    }
  } catch {
    return undefined;
  }
}

/**
 * Some disks (FAT) silently cut dots or spaces off the end of a name, so that the file would get another name.
 *
 * @throws StorageError BAD_PATH
 */
export function requireKeptEnds(folders: Folders, path: string): void {
  const ends = path.match(ENDS);
  if (ends === null || keepsAll(folders, path, new Set(ends))) return;
  throw storageFault.unheldName(path);
}

/** Also true when nothing can be created there: then creating the file reports the reason. */
function keepsAll(folders: Folders, path: string, ends: ReadonlySet<string>): boolean {
  try {
    const { folder } = folders.nearest(path);
    try {
      return [...ends].every((end) => folders.memory.endings.keeps(folder, end));
    } finally {
      folder.release();
    }
  } catch {
    return true;
  }
}
