import { MAX_FILE_BYTES } from "../block.ts";
import { StorageError } from "../errors.ts";
import { quote } from "../quote.ts";
import type { FileFacts } from "./facts.ts";

/** What every storage says in the same words. */

/** @throws StorageError TOO_LARGE for a file that no storage takes, before anything is made of it */
export function checkSize(path: string, { size }: Pick<FileFacts, "size">): void {
  if (size <= MAX_FILE_BYTES) return;
  throw new StorageError("TOO_LARGE", `${quote(path)} has ${size} bytes; a file can have ${MAX_FILE_BYTES} (16 TiB).`);
}

/** The file at `path` came under another path of the same transfer, which its disk takes for the same name. */
export function sameName(path: string): StorageError {
  return new StorageError(
    "SAME_NAME",
    `The disk takes ${quote(path)} for the same name as another file that has just come.`,
  );
}

/** The open file at `path` is not what it was when it was opened. */
export function fileChanged(path: string): StorageError {
  return new StorageError("CHANGED", `${quote(path)} changed while it was read.`);
}

/** The server has as many files open as it may; worded for its clients. */
export function overloaded(cause?: unknown): StorageError {
  const message = "The server has as many files open as it may. Please try again in a moment.";
  return new StorageError("OVERLOADED", message, { cause });
}
