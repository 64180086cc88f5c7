import { mkdirSync, statSync } from "node:fs";
import { CommError, toCommError } from "../../errors.ts";
import { quote } from "../../quote.ts";
import { readError, writeError } from "../../storage/disk-error.ts";
import { LocalStorage } from "../../storage/local/local.ts";
import type { PrivatePlaces } from "../../storage/local/private/private-places.ts";
import { MemoryStorage } from "../../storage/memory-storage.ts";

/** The mirrored folder of this machine. */
export interface SyncFolder {
  readonly storage: LocalStorage | MemoryStorage;
  /** Private paths that its lists have left out since the last call. */
  takeHidden(): string[];
}

/** @throws StorageError as LocalStorage.ofUser(); CommError NOT_A_FILE for what is no folder */
export async function openSourceFolder(path: string, places: PrivatePlaces): Promise<SyncFolder> {
  requireFolder(path);
  const hidden: string[] = [];
  const storage = await LocalStorage.ofUser(path, { places, onHidden: (each) => void hidden.push(each) });
  return { storage, takeHidden: () => hidden.splice(0) };
}

/**
 * The folder is made if it does not exist; a dry run takes an empty one for it.
 *
 * @throws as openSourceFolder(); StorageError DISK_DENIED, DISK_FULL, DISK_FAILED
 */
export async function openTargetFolder(path: string, places: PrivatePlaces, isDry: boolean): Promise<SyncFolder> {
  try {
    requireFolder(path);
  } catch (thrown) {
    if (toCommError(thrown).code !== "NO_SUCH_FILE") throw thrown;
    if (isDry) return { storage: new MemoryStorage(), takeHidden: () => [] };
    makeFolder(path);
  }
  return { storage: await LocalStorage.ofUser(path, { places }), takeHidden: () => [] };
}

/** Make it, and those above it. @throws StorageError DISK_DENIED, DISK_FULL, DISK_FAILED */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (cause) {
    throw writeError(cause, path);
  }
}

function requireFolder(path: string): void {
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch (cause) {
    throw readError(cause, path, "user");
  }
  if (!isFolder) throw new CommError("NOT_A_FILE", `${quote(path)} is not a folder: only folders are mirrored.`);
}
