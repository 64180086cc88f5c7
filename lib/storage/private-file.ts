import fs from "node:fs";
import { quote } from "../path.ts";
import { errnoOf, readError, writeError } from "./disk-error.ts";

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
 * @throws StorageError DISK_DENIED, DISK_FULL, DISK_FAILED
 */
export function writePrivate(file: string, text: string): void {
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
    throw writeError(cause, quote(file));
  }
}
