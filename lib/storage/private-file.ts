import fs from "node:fs";
import { quote } from "../path.ts";
import { errnoOf, readError, writeError } from "./disk-error.ts";
import { withNameLock } from "./name-lock.ts";

/** Files that only their owner may read: keys, verifiers, what a client remembers. */

/** The text of `file`, undefined when there is none. @throws StorageError DISK_DENIED, DISK_FAILED */
export function readPrivate(file: string): string | undefined {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (cause) {
    if (errnoOf(cause) === "ENOENT") return undefined;
    throw readError(cause, quote(file), "user");
  }
}

/**
 * Replace `file` as a whole and durably: after a crash there is the old text or the new one.
 *
 * @throws StorageError DISK_DENIED, DISK_FULL, DISK_FAILED, BUSY
 */
export function writePrivate(file: string, text: string): void {
  try {
    // Two programs of one user may have the same thing to remember; each writes it whole.
    withNameLock(file, () => replace(file, text));
  } catch (cause) {
    throw writeError(cause, quote(file));
  }
}

function replace(file: string, text: string): void {
  // One name for all: what a crash left goes with the next write.
  const temporary = `${file}.new`;
  try {
    fs.rmSync(temporary, { force: true });
    const fd = fs.openSync(temporary, "wx", 0o600);
    try {
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
