import fs from "node:fs";
import { stat } from "node:fs/promises";
import { errnoOf } from "../../errno.ts";
import { StorageError } from "../../errors.ts";
import { quote } from "../../quote.ts";
import { realPath } from "./real-path.ts";

/**
 * @throws StorageError NO_REPOSITORY when `folder` is none; the system's error when it is not there or can't be read
 */
export async function requireRepository(folder: string): Promise<void> {
  const root = realPath(folder);
  if (!(await stat(root)).isDirectory()) {
    throw new StorageError("NO_REPOSITORY", `The repository ${quote(folder)} is not a folder.`);
  }
  fs.accessSync(root, fs.constants.R_OK | fs.constants.X_OK);
}

/** Why the repository `folder` can't be served. */
export function repositoryError(cause: unknown, folder: string): StorageError {
  if (cause instanceof StorageError) return cause;
  if (errnoOf(cause) === "EACCES") {
    const message = `No permission to read the repository folder ${quote(folder)}.`;
    return new StorageError("REPOSITORY_DENIED", message, { cause });
  }
  return new StorageError("NO_REPOSITORY", `The repository folder ${quote(folder)} does not exist.`, { cause });
}
