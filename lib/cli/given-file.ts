import { readFile } from "node:fs";
import { quote } from "../quote.ts";
import { readError } from "../storage/disk-error.ts";
import { unlessAborted } from "./unless-aborted.ts";

/**
 * The text of a file that a flag names; 0 is standard input. It may be a pipe into which nobody writes, or a terminal: who
 * waits for it must still hear signals, and so it is not read in the event loop.
 *
 * @throws StorageError NO_SUCH_FILE, DISK_DENIED, DISK_FAILED; CommError INTERRUPTED when `signal` aborts first
 */
export function readGiven(file: string | 0, signal?: AbortSignal): Promise<string> {
  return signal === undefined ? readText(file) : unlessAborted(readText(file), signal);
}

function readText(file: string | 0): Promise<string> {
  return new Promise((resolve, reject) => {
    readFile(file, "utf8", (cause, text) => {
      if (cause === null) resolve(text);
      else reject(readError(cause, file === 0 ? "standard input" : quote(file), "user"));
    });
  });
}
