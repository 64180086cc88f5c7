import fs from "node:fs";
import { errnoOf } from "../errno.ts";
import { StorageError } from "../errors.ts";
import { quote } from "../quote.ts";
import { readError, writeError } from "../storage/disk-error.ts";
import { withNameLock } from "../storage/local/locks/name-lock.ts";
import { OWN_FILE, tryNarrow } from "../storage/local/rights.ts";
import { exposureOf } from "./exposure.ts";

/** Files that only their owner may read: keys, verifiers, a client's known servers. */

/** The text of `file`, undefined when there is none. @throws StorageError DISK_DENIED, DISK_FAILED */
export function readPrivate(file: string): string | undefined {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (cause) {
    // A home that is not a folder, such as /dev/null, holds nothing.
    if (["ENOENT", "ENOTDIR"].includes(errnoOf(cause))) return undefined;
    throw readError(cause, file, "user");
  }
}

/**
 * Replace `file` as a whole and durably: after a crash it holds the old text or the new one. On a disk that keeps no
 * permissions, others can read it; with `mustBeOwn`, the call fails there instead.
 *
 * @throws StorageError DISK_DENIED, DISK_FULL, DISK_FAILED, BUSY
 */
export function writePrivate(file: string, text: string, { mustBeOwn = false } = {}): void {
  try {
    // Two programs of one user may write the same file; each writes it whole.
    withNameLock(file, () => replace(file, text, mustBeOwn));
  } catch (cause) {
    throw writeError(cause, file);
  }
}

/**
 * Append to `file`, which is created if it does not exist.
 *
 * @throws StorageError as writePrivate() with `mustBeOwn`
 */
export function appendPrivate(file: string, text: string): void {
  try {
    const fd = fs.openSync(file, "a", OWN_FILE);
    try {
      tryNarrow(fd, OWN_FILE);
      requireOwn(file);
      fs.writeFileSync(fd, text);
    } finally {
      fs.closeSync(fd);
    }
  } catch (cause) {
    throw writeError(cause, file);
  }
}

/**
 * Create `file`, or close it to others, before a library opens it with the permissions of the umask. A failure here is
 * ignored: opening the file then fails, too, and says why.
 */
export function closeToOthers(file: string): void {
  try {
    const fd = fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_CREAT, OWN_FILE);
    tryNarrow(fd, OWN_FILE);
    fs.closeSync(fd);
  } catch {
    // no such folder, or a file of another user
  }
}

/** Others can neither read nor change the file. @throws StorageError DISK_DENIED */
function requireOwn(file: string): void {
  const { canRead, canWrite, isAnothers } = exposureOf(file);
  if (!canRead && !canWrite && !isAnothers) return;
  throw new StorageError(
    "DISK_DENIED",
    `Others on this machine could read ${quote(file)}: its disk keeps no permissions.`,
  );
}

function replace(file: string, text: string, mustBeOwn: boolean): void {
  // One name for all writers: the next write replaces what a crash left.
  const temporary = `${file}.new`;
  try {
    fs.rmSync(temporary, { force: true });
    const fd = fs.openSync(temporary, "wx", OWN_FILE);
    try {
      if (mustBeOwn) requireOwn(temporary);
      fs.writeFileSync(fd, text);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, file);
  } catch (cause) {
    fs.rmSync(temporary, { force: true });
    throw cause;
  }
}
