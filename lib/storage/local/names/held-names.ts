import { errnoOf } from "../../../errno.ts";
import { StorageError } from "../../../errors.ts";
import { quote } from "../../../quote.ts";
import { unheldName } from "../../disk-error.ts";
import type { Folders } from "../folders.ts";
import { holds, isOtherMatter } from "./name-trial.ts";

/** Every system takes a path of so many bytes. */
const SURELY_SHORT = 1023;
const ENDS = /[. ](?=\/|$)/g;

/**
 * What is said when `path` could not be made because its disk can't hold a name of it; undefined when that was not why.
 * What disks say then differs (EINVAL, ENOENT, EPERM, EILSEQ, …), so they are tried: after a failure, and never before.
 */
export function explainName(folders: Folders, path: string, cause: unknown): StorageError | undefined {
  const errno = errnoOf(cause instanceof StorageError ? cause.cause : cause);
  if (isOtherMatter(errno)) return undefined;
  // It may be the whole path that is too long.
  const bytes = Buffer.byteLength(folders.root) + Buffer.byteLength(path);
  return errno === "ENAMETOOLONG" && bytes > SURELY_SHORT ? undefined : nameFault(folders, path, cause);
}

/**
 * As explainName(), found by a trial of each name of `path` that is not there yet; also undefined when nothing can be
 * made.
 */
export function nameFault(folders: Folders, path: string, cause?: unknown): StorageError | undefined {
  try {
    const { folder, below } = folders.nearest(path);
    try {
      return below.every((name) => holds(folder, name)) ? undefined : unheldName(quote(path), cause);
    } finally {
      folder.release();
    }
  } catch {
    return undefined;
  }
}

/**
 * Some disks (FAT) cut dots or blanks from the end of a name without a word: then what is made under it is another
 * name's.
 *
 * @throws StorageError BAD_PATH
 */
export function requireKeptEnds(folders: Folders, path: string): void {
  const ends = path.match(ENDS);
  if (ends === null || keepsAll(folders, path, new Set(ends))) return;
  throw unheldName(quote(path));
}

/** Also true when nothing can be made there: what is the matter then is told by who makes it. */
function keepsAll(folders: Folders, path: string, ends: ReadonlySet<string>): boolean {
  try {
    const { folder } = folders.nearest(path);
    try {
      return [...ends].every((end) => folders.endings.keeps(folder, end));
    } finally {
      folder.release();
    }
  } catch {
    return true;
  }
}
