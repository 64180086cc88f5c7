import { errnoOf } from "../errno.ts";
import { StorageError } from "../errors.ts";
import { type Owner, storageFault } from "../storage-faults.ts";

/** True when the system, or this program, may open no more files: this is not about the file itself. */
export function isOutOfFiles(cause: unknown): boolean {
  return ["EMFILE", "ENFILE"].includes(errnoOf(cause));
}

/** The fault for a system error while reading `path`. */
export function readError(cause: unknown, path: string, owner: Owner = "server"): StorageError {
  if (cause instanceof StorageError) return cause;
  if (owner === "user") return userReadError(cause, path);
  if (isOutOfFiles(cause)) return storageFault.overloaded(cause);
  switch (errnoOf(cause)) {
    case "ENOENT":
    case "ENOTDIR":
      return storageFault.missing(path, cause);
    case "EACCES":
    case "EPERM":
      return storageFault.unreadable(path, cause);
    case "ELOOP":
      return storageFault.linkLoop(path, "UNREADABLE", cause);
    case "ENAMETOOLONG":
      return storageFault.tooLong(path, "BAD_PATH", cause);
    case "EILSEQ":
      return storageFault.unheldName(path, cause);
    default:
      return storageFault.readFailed(path, cause);
  }
}

function userReadError(cause: unknown, path: string): StorageError {
  if (isOutOfFiles(cause)) return storageFault.tooManyFiles(path, cause);
  switch (errnoOf(cause)) {
    case "ENOENT":
    case "ENOTDIR":
      return storageFault.missingFile(path, cause);
    case "EACCES":
    case "EPERM":
      return storageFault.readDenied(path, cause);
    case "ELOOP":
      return storageFault.linkLoop(path, "NO_SUCH_FILE", cause);
    case "ENAMETOOLONG":
      return storageFault.tooLong(path, "NO_SUCH_FILE", cause);
    default:
      return storageFault.fileReadFailed(path, cause);
  }
}

/** System calls that create a name. */
const NAMING = new Set(["open", "mkdir", "rename", "link", "symlink"]);

/** Whether the system says that the disk can't hold a name: FAT has no `?`, and some disks hold only UTF-8. */
function isRefusedName(cause: unknown): boolean {
  if (errnoOf(cause) === "EILSEQ") return true;
  return (
    errnoOf(cause) === "EINVAL" && cause instanceof Error && "syscall" in cause && NAMING.has(String(cause.syscall))
  );
}

/** The fault for a system error while writing to `path`. A server's folder existed, or was created, a moment ago. */
export function writeError(cause: unknown, path: string, owner: Owner = "user"): StorageError {
  if (cause instanceof StorageError) return cause;
  if (isOutOfFiles(cause)) return storageFault.tooManyFiles(path, cause);
  if (isRefusedName(cause)) return storageFault.unheldName(path, cause);
  switch (errnoOf(cause)) {
    case "ENOSPC":
    case "EDQUOT":
      return storageFault.full(path, owner, cause);
    case "EFBIG":
      return storageFault.tooLarge(path, owner, cause);
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return storageFault.writeDenied(path, owner, cause);
    case "ENOENT":
    case "ENOTDIR":
      return owner === "server" ? storageFault.holderGone(path, cause) : storageFault.noHolder(path, cause);
    case "ELOOP":
      return storageFault.linkLoop(path, "DISK_DENIED", cause);
    case "EEXIST":
      return storageFault.exists(path, cause);
    case "ENAMETOOLONG":
      return storageFault.tooLong(path, "BAD_PATH", cause);
    default:
      return storageFault.writeFailed(path, cause);
  }
}
