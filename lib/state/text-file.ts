import { readFile } from "node:fs";
import { readError } from "../storage/disk-error.ts";
import { storageFault } from "../storage-faults.ts";

/**
 * The text of a file that the user has named; 0 is standard input. Reading may block on a pipe or a terminal, so it
 * runs outside the event loop.
 *
 * @throws StorageError NO_SUCH_FILE, DISK_DENIED, DISK_FAILED
 */
export function readTextFile(file: string | 0): Promise<string> {
  return new Promise((resolve, reject) => {
    readFile(file, "utf8", (cause, text) => {
      if (cause === null) resolve(text);
      else reject(file === 0 ? storageFault.inputFailed(cause) : readError(cause, file, "user"));
    });
  });
}
