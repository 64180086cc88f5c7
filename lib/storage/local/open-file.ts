import fs, { type BigIntStats } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../../errno.ts";
import type { Owner } from "../../storage-faults.ts";
import { storageFault } from "../../storage-faults.ts";
import { isSmall, type StorageEntry } from "../storage.ts";
import { hasLastingNumbers } from "./disk-kind.ts";
import type { Folders } from "./folders.ts";
import { entryOf, LocalFile, requireEmpty, requireFile } from "./local-file.ts";
import { toLocalPath } from "./names/local-names.ts";
import type { Held } from "./open-folder.ts";
import { sampledEtag } from "./sampled-etag.ts";

/** As Storage.open(). @throws StorageError NOT_A_FILE, NOT_ALLOWED, CHANGED; the system's error */
export function openLocal(folders: Folders, path: string, owner: Owner): LocalFile {
  const file =
    openHeld(folders, path, folders.holder(path), owner) ?? openHeld(folders, path, folders.behind(path), owner);
  if (file === undefined) throw storageFault.replacedOnOpen(path);
  return file;
}

/**
 * Open a file by its own name in a folder that is held open, and release the folder. undefined when the name is a link.
 */
function openHeld(folders: Folders, path: string, held: Held, owner: Owner): LocalFile | undefined {
  const { folder, name } = held;
  try {
    // Check first, since opening a device may have side effects; then check the opened file.
    const stats = folder.look(name);
    if (stats.isSymbolicLink()) return undefined;
    folders.guard.requirePublic(path, stats, held);
    requireFile(path, stats);
    return openFile(path, held, owner, (opened) => folders.guard.requirePublic(path, opened, held));
  } catch (cause) {
    if (errnoOf(cause) === "ELOOP") return undefined; // it has just become a link
    throw cause;
  } finally {
    folder.release();
  }
}

/** @throws StorageError NOT_A_FILE, and what `check` throws; the system's error */
function openFile(path: string, { folder, name }: Held, owner: Owner, check: (opened: BigIntStats) => void): LocalFile {
  const fd = folder.openFile(name);
  try {
    const opened = fs.fstatSync(fd, { bigint: true });
    requireFile(path, opened);
    check(opened);
    if (opened.size === 0n) requireEmpty(path, fd);
    const entry = entryOf(path, opened);
    const etag = isSmall(entry) ? undefined : sampledEtag(fd, folder.at(name), opened);
    return new LocalFile(fd, etag === undefined ? entry : { ...entry, etag }, opened, owner);
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

/** The entry of the opened file, with an etag that survives a remount. On most disks that is `entry`. */
export async function withLastingEtag(folders: Folders, entry: StorageEntry, owner: Owner): Promise<StorageEntry> {
  if (hasLastingNumbers(join(folders.root, toLocalPath(entry.path)))) return entry;
  try {
    const file = openLocal(folders, entry.path, owner);
    await file.close();
    return file.entry;
  } catch {
    return entry; // unreadable: nobody can fetch it either
  }
}
