import { rmdir, unlink } from "node:fs/promises";
import { errnoOf } from "../../errno.ts";
import type { CommError } from "../../errors.ts";
import type { Owner } from "../../storage-faults.ts";
import { storageFault } from "../../storage-faults.ts";
import { readError, writeError } from "../disk-error.ts";
import type { RemoveOptions } from "../storage.ts";
import type { Folders } from "./folders.ts";
import { removeTree } from "./remove-tree.ts";

/** As Storage.remove(). */
export async function removeLocal(folders: Folders, path: string, options: RemoveOptions, owner: Owner): Promise<void> {
  if (path === "") throw storageFault.wholeTree();
  try {
    await remove(folders, path, options);
  } catch (cause) {
    throw removalError(cause, path, options, owner);
  }
}

function removalError(cause: unknown, path: string, options: RemoveOptions, owner: Owner): CommError {
  if (options.signal?.aborted) return storageFault.removalLeft(path);
  const errno = errnoOf(cause);
  if (["ENOTEMPTY", "EEXIST"].includes(errno) && !options.recursive) {
    return storageFault.notEmpty(path, cause);
  }
  // FUSE and NFS keep open files under another name; and others may fill a folder while it is emptied.
  if (["ENOTEMPTY", "EEXIST", "EBUSY", "ETXTBSY"].includes(errno)) return storageFault.inUse(path, cause);
  if (["ENOENT", "ENOTDIR"].includes(errno)) return readError(cause, path, owner);
  return writeError(cause, path, owner);
}

/**
 * Refuses a tree that holds, or leads to, something private. An unknown state folder ends the removal; everything else
 * that is left then stays.
 *
 * @throws StorageError NOT_ALLOWED; the system's error
 */
async function remove(folders: Folders, path: string, options: RemoveOptions): Promise<void> {
  const held = folders.changeable(path);
  const { folder, name } = held;
  try {
    const stats = folder.look(name);
    // A file is on the way to nothing else: removals in one folder share it, and its syncs.
    if (!stats.isFile()) folders.forget();
    folders.guard.requirePublic(path, stats, held);
    // In another thread: freeing a large file takes a while.
    if (!stats.isDirectory()) await unlink(folder.at(name));
    else if (!options.recursive) await rmdir(folder.at(name));
    else {
      await removeTree(folder, name, {
        signal: options.signal,
        inspect: (each) => folders.inspect(each),
        // A name that is not UTF-8 is not one of ours.
        check: (holder, each) => each !== undefined && folders.requireFree(holder, each),
      });
    }
    await folder.sync();
  } finally {
    folder.release();
  }
}
