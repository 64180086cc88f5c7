import fs from "node:fs";
import { stat } from "node:fs/promises";
import { errnoOf } from "../../errno.ts";
import { StorageError } from "../../errors.ts";
import { storageFault } from "../../storage-faults.ts";
import { realPath } from "./real-path.ts";

/**
 * @throws StorageError NO_REPOSITORY when `folder` is not a folder; the system's error when it is missing or unreadable
 */
export async function requireRepository(folder: string): Promise<void> {
  const root = realPath(folder);
  if (!(await stat(root)).isDirectory()) {
    throw storageFault.repositoryNoFolder(folder);
  }
  fs.accessSync(root, fs.constants.R_OK | fs.constants.X_OK);
}

/** Why the repository `folder` can't be served. */
export function repositoryError(cause: unknown, folder: string): StorageError {
  if (cause instanceof StorageError) return cause;
  if (errnoOf(cause) === "EACCES") return storageFault.repositoryDenied(folder, cause);
  return storageFault.repositoryMissing(folder, cause);
}
