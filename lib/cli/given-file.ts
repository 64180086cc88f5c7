import { readFile, statSync } from "node:fs";
import { CommError } from "../errors.ts";
import { quote } from "../path.ts";
import { readError } from "../storage/disk-error.ts";

/** What has no end that one could come back to: pipes, terminals. They are asked for again when a link is made anew. */
const readOnce = new Map<string | 0, Promise<string>>();

/**
 * The text of a file that a flag names; 0 is standard input. It may be a pipe into which nobody writes, or a terminal: who
 * waits for it must still hear signals, and so it is not read in the event loop.
 *
 * @throws StorageError NO_SUCH_FILE, DISK_DENIED, DISK_FAILED; CommError INTERRUPTED when `signal` aborts first
 */
export async function readGiven(file: string | 0, signal?: AbortSignal): Promise<string> {
  if (file !== 0 && isFile(file)) return readText(file);
  let text = readOnce.get(file);
  if (text === undefined) {
    text = readText(file);
    readOnce.set(file, text);
  }
  return signal === undefined ? text : unlessAborted(text, signal);
}

function isFile(file: string): boolean {
  try {
    return statSync(file).isFile();
  } catch {
    return true; // told when it is read
  }
}

function readText(file: string | 0): Promise<string> {
  return new Promise((resolve, reject) => {
    readFile(file, "utf8", (cause, text) => {
      if (cause === null) resolve(text);
      else reject(readError(cause, file === 0 ? "standard input" : quote(file), "user"));
    });
  });
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(new CommError("INTERRUPTED", "Interrupted."));
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
