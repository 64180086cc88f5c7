import { CommError, type ErrorCode, StorageError } from "./errors.ts";
import { formatBytes } from "./format-bytes.ts";
import { quote } from "./quote.ts";

/** Who owns the files: a server's clients get other codes and messages than a user for their own files. */
export type Owner = "server" | "user";

/**
 * Everything that can be wrong with files and folders: for each fault its code and its message.
 *
 * A storage reports which fault it met, and writes no message. The messages are here, and not at the edges, because
 * they are part of the error on the wire (RESET, FAIL): a client shows what its server wrote. Paths are quoted here,
 * and escaped where a message is shown.
 */
export const storageFault = {
  // Missing, or not what was asked for.
  missing: (path: string, cause?: unknown) =>
    fault("NOT_FOUND", `There is no ${quote(path)} in the repository.`, cause),
  missingFile: (path: string, cause?: unknown) => fault("NO_SUCH_FILE", `There is no ${quote(path)}.`, cause),
  notListed: (path: string) => fault("NOT_FOUND", `${quote(path)} is not a folder.`),
  notAFile: (path: string, what: "a folder" | "not a regular file") =>
    fault("NOT_A_FILE", `${quote(path)} is ${what}.`),
  notAsLarge: (path: string, size: bigint) =>
    fault(
      "NOT_A_FILE",
      `${quote(path)} reports ${size} bytes, but its content is made while it is read, as in /proc. Copy it to a plain file first.`,
    ),
  noHolder: (path: string, cause: unknown) =>
    fault("DISK_DENIED", `The folder of ${quote(path)} does not exist.`, cause),
  holderGone: (path: string, cause: unknown) =>
    fault("NOT_FOUND", `The folder of ${quote(path)} was renamed or removed meanwhile.`, cause),
  holderLeft: (path: string, code: "NOT_FOUND" | "NO_SUCH_FILE") =>
    fault(code, `The folder of ${quote(path)} was renamed or removed during the transfer.`),
  repositoryGone: (cause: unknown) => fault("UNREADABLE", "The server's repository is not there at present.", cause),
  repositoryMissing: (folder: string, cause: unknown) =>
    fault("NO_REPOSITORY", `The repository folder ${quote(folder)} does not exist.`, cause),
  repositoryNoFolder: (folder: string) => fault("NO_REPOSITORY", `The repository ${quote(folder)} is not a folder.`),

  // What the system does not allow this process.
  unreadable: (path: string, cause: unknown) =>
    fault("UNREADABLE", `The server has no permission to read ${quote(path)}.`, cause),
  readDenied: (path: string, cause: unknown) => fault("DISK_DENIED", `No permission to read ${quote(path)}.`, cause),
  writeDenied: (path: string, owner: Owner, cause: unknown) =>
    owner === "server"
      ? fault("DISK_DENIED", `The server has no permission to write ${quote(path)}.`, cause)
      : fault("DISK_DENIED", `No permission to write ${quote(path)}.`, cause),
  repositoryDenied: (folder: string, cause: unknown) =>
    fault("REPOSITORY_DENIED", `No permission to read the repository folder ${quote(folder)}.`, cause),
  linkLoop: (path: string, code: "UNREADABLE" | "NO_SUCH_FILE" | "DISK_DENIED", cause: unknown) =>
    fault(code, `${quote(path)} is a link that leads to itself.`, cause),
  linkOut: (path: string) => fault("NOT_ALLOWED", `${quote(path)} is a link that leads out of the repository.`),

  // Failures.
  readFailed: (path: string, cause: unknown) => fault("INTERNAL", `The server can't read ${quote(path)}.`, cause),
  fileReadFailed: (path: string, cause: unknown) =>
    fault("DISK_FAILED", `Cannot read ${quote(path)}: ${reasonOf(cause)}.`, cause),
  inputFailed: (cause: unknown) => fault("DISK_FAILED", `Cannot read standard input: ${reasonOf(cause)}.`, cause),
  writeFailed: (path: string, cause: unknown) =>
    fault("DISK_FAILED", `Cannot write ${quote(path)}: ${reasonOf(cause)}.`, cause),
  watchFailed: (cause: unknown) => fault("INTERNAL", "The system of the server can't watch the repository.", cause),
  closed: (path: string) => fault("INTERNAL", `${quote(path)} was closed.`),

  // Names.
  notAPath: (path: string) => fault("BAD_PATH", `${quote(path)} is not a path.`),
  tooLong: (path: string, code: "BAD_PATH" | "NO_SUCH_FILE", cause: unknown) =>
    fault(code, `${quote(path)} is longer than the system allows.`, cause),
  unheldName: (path: string, cause?: unknown) =>
    fault("BAD_PATH", `The disk can't hold the name ${quote(path)}.`, cause),
  unkeptName: (path: string) => fault("BAD_PATH", `The disk does not keep the name ${quote(path)}.`),
  unfinishedName: (path: string) => fault("NOT_ALLOWED", `${quote(path)} is the name of an unfinished file.`),
  markerName: (path: string) =>
    fault("NOT_ALLOWED", `${quote(path)} is the name of the file that marks a state folder.`),
  intoItself: (from: string, to: string) =>
    fault("BAD_PATH", `${quote(from)} can't be moved into itself, to ${quote(to)}.`),

  // CommServer's own files.
  own: (path: string, what: "is" | "leads to", code: "NOT_ALLOWED" | "OWN_STATE") =>
    fault(code, `${quote(path)} ${what} where CommServer keeps its own keys and records: it is left alone.`),
  ownFolder: (folder: string, what: "repository" | "folder", cause: unknown) =>
    fault(
      "OWN_STATE",
      `The ${what} ${quote(folder)} is, or lies in, a folder where CommServer keeps its own keys and records.`,
      cause,
    ),
  /** For somebody who may put files, and see nothing. */
  onlyDrops: (path: string) => fault("NOT_ALLOWED", `This token only drops files: ${quote(path)} is not for it.`),
  wholeTree: () => fault("NOT_ALLOWED", "The repository itself can't be removed."),

  // Something is in the way.
  exists: (path: string, cause?: unknown) => fault("EXISTS", `${quote(path)} exists.`, cause),
  noFile: (path: string) => fault("EXISTS", `${quote(path)} is not a file, and is not replaced by one.`),
  noFolder: (path: string, cause?: unknown) => fault("EXISTS", `${quote(path)} is not a folder.`, cause),
  noFolderOnTheWay: (path: string, cause: unknown) =>
    fault("EXISTS", `A part of ${quote(path)} is not a folder.`, cause),
  notEmpty: (path: string, cause?: unknown) => fault("NOT_EMPTY", `The folder ${quote(path)} is not empty.`, cause),
  /** The same transfer has stored a file under another path that the disk takes for the same name. */
  sameName: (path: string) =>
    fault("SAME_NAME", `On this disk, ${quote(path)} is the same name as that of another file of this transfer.`),

  sameTarget: (from: string, to: string) =>
    fault("SAME_NAME", `${quote(from)} would become ${quote(to)}, which another one of these files has become.`),

  // Others did something at the same time.
  changed: (path: string) => fault("CHANGED", `${quote(path)} changed while it was read.`),
  replacedOnOpen: (path: string) => fault("CHANGED", `${quote(path)} was replaced while it was opened.`),
  replaced: (path: string) => fault("CHANGED", `${quote(path)} was replaced meanwhile.`),
  transferred: (path: string) => fault("BUSY", `Another transfer of ${quote(path)} is under way.`),
  lockLost: () => fault("BUSY", "Another transfer of the same file is under way."),
  inTheWay: (path: string) => fault("BUSY", `${quote(path)} is in the way.`),
  inUse: (path: string, cause: unknown) =>
    fault("BUSY", `${quote(path)} is still in use. What could be removed of it is gone.`, cause),
  nameInUse: (name: string) => fault("BUSY", `Another program is writing ${quote(name)}.`),
  /** Not a fault of the storage: the removal was cancelled. */
  removalLeft: (path: string) => new CommError("INTERRUPTED", `The removal of ${quote(path)} was interrupted.`),

  // Room.
  full: (path: string, owner: Owner, cause: unknown) =>
    fault("DISK_FULL", `The disk of ${MACHINES[owner]} has no room left for ${quote(path)}.`, cause),
  noRoom: (path: string, owner: Owner, bytes: number, free: number) =>
    fault("DISK_FULL", `${needs(path, bytes, free)} free on the disk of ${MACHINES[owner]}.`),
  aboveQuota: (path: string, bytes: number, { free, quota }: { free: number; quota: number }) =>
    fault("QUOTA_EXCEEDED", `${needs(path, bytes, free)} left of the repository's quota of ${formatBytes(quota)}.`),
  aboveFree: (path: string, bytes: number, { free, kept }: { free: number; kept: number }) =>
    fault(
      "NO_SPACE",
      `${needs(path, bytes, free)} free on the server's disk, apart from the ${formatBytes(kept)} that it keeps.`,
    ),
  /** For somebody who may not know how full the repository is. */
  noRoomLeft: (path: string, cause: StorageError) =>
    fault(cause.code, `The server has no room left for ${quote(path)}.`, cause),
  aboveAnyFile: (path: string, size: number) =>
    fault("TOO_LARGE", `${quote(path)} has ${formatBytes(size)}; a file can have 16 TiB at most.`),
  /** 4 GiB on FAT, or the limit of `ulimit -f`. Trying again does not help. */
  tooLarge: (path: string, owner: Owner, cause?: unknown) =>
    fault("TOO_LARGE", `${quote(path)} is larger than a file can be on the disk of ${MACHINES[owner]}.`, cause),
  tooManyFiles: (path: string, cause: unknown) =>
    fault("TOO_MANY_FILES", `Too many files are open here to open ${quote(path)} as well.`, cause),
  /** The server's limit; its clients see this message. */
  overloaded: (cause?: unknown) =>
    fault("OVERLOADED", "The server can open no more files at present. Please try again in a moment.", cause),
} as const;

const MACHINES = { server: "the server", user: "this machine" } as const;

/** `"a" needs 2.0 GB more; 105 MB are`; exact where both would read the same. */
function needs(path: string, bytes: number, free: number): string {
  const [wanted, had] = [formatBytes(bytes), formatBytes(free)];
  const [more, are] = wanted === had ? [`${bytes} bytes`, `${free}`] : [wanted, had];
  return `${quote(path)} needs ${more} more; ${are} are`;
}

function fault(code: ErrorCode, message: string, cause?: unknown): StorageError {
  return new StorageError(code, message, cause === undefined ? {} : { cause });
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

const LATER = "it polls, and reports changes later";

/** Notices about a disk that are not faults of a file. */
export const storageNotice = {
  moved: (given: string, real: string) => `The repository ${quote(given)} is ${quote(real)} from now on.`,
  gone: (given: string) => `The repository ${quote(given)} is not there: moved, or its disk is gone.`,
  replaced: "The server's repository is another folder than before, or a disk in it came or went: list it again.",
  notWatched: "The server can't watch its repository at present.",
  /** Why changes are reported late: one message for watchers, and one for the operator. */
  deaf: {
    message: `The server gets no reports of what others change on its disk: ${LATER}.`,
    advice: `The repository's disk (a network's, or FUSE) does not report what others change on it: while a client watches, the server polls.`,
  },
  full: {
    message: `The server can't watch so many folders: ${LATER}.`,
    advice: `The system can't watch all folders of the repository: while a client watches, the server polls. Raise fs.inotify.max_user_watches, or max_user_instances, with sysctl.`,
  },
  noTimes:
    "The disk does not let this user set times: files get the time of their arrival, and will not be recognised as unchanged next time.",
  noRights:
    "The disk does not let this user set permissions: files get those that the disk gives, or fewer than they should have.",
} as const;
