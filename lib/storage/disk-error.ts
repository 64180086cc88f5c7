import { errnoOf } from "../errno.ts";
import { StorageError } from "../errors.ts";
import { overloaded } from "./storage-errors.ts";

/** True when the system, or this program, has as many files open as it may: that says nothing of the file asked for. */
export function isOutOfFiles(cause: unknown): boolean {
  return ["EMFILE", "ENFILE"].includes(errnoOf(cause));
}

/** Who owns the files: errors of a server's files are worded for its clients. */
export type Owner = "server" | "user";

/** A system error while reading `what`. */
export function readError(cause: unknown, what: string, owner: Owner = "server"): StorageError {
  if (cause instanceof StorageError) return cause;
  if (owner === "user") return localReadError(cause, what);
  if (isOutOfFiles(cause)) return overloaded(cause);
  switch (errnoOf(cause)) {
    case "ENOENT":
    case "ENOTDIR":
      return new StorageError("NOT_FOUND", `There is no ${what} in the repository.`, { cause });
    case "EACCES":
    case "EPERM":
      return new StorageError("UNREADABLE", `The server may not read ${what}.`, { cause });
    case "ELOOP":
      return new StorageError("UNREADABLE", `${what} is a link that leads to itself.`, { cause });
    case "ENAMETOOLONG":
      return tooLong(cause, what);
    case "EILSEQ":
      return unheldName(what, cause);
    default:
      return new StorageError("INTERNAL", `The server can't read ${what}.`, { cause });
  }
}

function localReadError(cause: unknown, what: string): StorageError {
  if (isOutOfFiles(cause)) return tooManyFiles(cause, what);
  switch (errnoOf(cause)) {
    case "ENOENT":
    case "ENOTDIR":
      return new StorageError("NO_SUCH_FILE", `There is no ${what}.`, { cause });
    case "EACCES":
    case "EPERM":
      return new StorageError("DISK_DENIED", `No permission to read ${what}.`, { cause });
    case "ELOOP":
      return new StorageError("NO_SUCH_FILE", `${what} is a link that leads to itself.`, { cause });
    case "ENAMETOOLONG":
      return new StorageError("NO_SUCH_FILE", `${what} is longer than the system allows.`, { cause });
    default: {
      const why = cause instanceof Error ? cause.message : String(cause);
      return new StorageError("DISK_FAILED", `Cannot read ${what}: ${why}.`, { cause });
    }
  }
}

function tooLong(cause: unknown, what: string): StorageError {
  return new StorageError("BAD_PATH", `${what} is longer than the system allows.`, { cause });
}

function tooManyFiles(cause: unknown, what: string): StorageError {
  return new StorageError("TOO_MANY_FILES", `Too many files are open here to open ${what} as well.`, { cause });
}

/**
 * `what` is larger than a file can be there: 4 GiB on FAT, or the limit of `ulimit -f`. Another try changes nothing.
 */
export function tooLarge(what: string, cause?: unknown): StorageError {
  return new StorageError("TOO_LARGE", `${what} is larger than a file can be on the disk that it would come to.`, {
    cause,
  });
}

/** The disk can't hold a name on the path `what`. */
export function unheldName(what: string, cause?: unknown): StorageError {
  return new StorageError("BAD_PATH", `The disk can't hold the name ${what}.`, { cause });
}

/** Calls that give a name. */
const NAMING = new Set(["open", "mkdir", "rename", "link", "symlink"]);

/** Whether the system says that the disk can't hold a name: FAT has no `?`, and some disks hold only UTF-8. */
function isRefusedName(cause: unknown): boolean {
  if (errnoOf(cause) === "EILSEQ") return true;
  return (
    errnoOf(cause) === "EINVAL" && cause instanceof Error && "syscall" in cause && NAMING.has(String(cause.syscall))
  );
}

/** A system error while writing `what` on this machine. A server's folder existed, or was made, a moment ago. */
export function writeError(cause: unknown, what: string, owner: Owner = "user"): StorageError {
  if (cause instanceof StorageError) return cause;
  if (isOutOfFiles(cause)) return tooManyFiles(cause, what);
  if (isRefusedName(cause)) return unheldName(what, cause);
  switch (errnoOf(cause)) {
    case "ENOSPC":
    case "EDQUOT":
      return new StorageError("DISK_FULL", `No room left for ${what}.`, { cause });
    case "EFBIG":
      return tooLarge(what, cause);
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new StorageError("DISK_DENIED", `No permission to write ${what}.`, { cause });
    case "ENOENT":
    case "ENOTDIR":
      if (owner === "server") {
        return new StorageError("NOT_FOUND", `The folder of ${what} was renamed or removed meanwhile.`, { cause });
      }
      return new StorageError("DISK_DENIED", `The folder of ${what} does not exist.`, { cause });
    case "ELOOP":
      return new StorageError("DISK_DENIED", `${what} is a link that leads to itself.`, { cause });
    case "EEXIST":
      return new StorageError("EXISTS", `${what} exists.`, { cause });
    case "ENAMETOOLONG":
      return tooLong(cause, what);
    default: {
      const why = cause instanceof Error ? cause.message : String(cause);
      return new StorageError("DISK_FAILED", `Cannot write ${what}: ${why}.`, { cause });
    }
  }
}
