import { rmdir, unlink } from "node:fs/promises";
import type { RemoveOptions } from "../storage.ts";
import type { Folders } from "./folders.ts";
import { removeTree } from "./remove-tree.ts";

/**
 * As Storage.remove(). A tree of which a part is private is not begun when the way there leads through it; a state folder
 * that nobody knew of ends the removal, with what is beside it not yet removed.
 *
 * @throws StorageError NOT_ALLOWED; the system's error
 */
export async function removeLocal(folders: Folders, path: string, options: RemoveOptions): Promise<void> {
  const held = folders.changeable(path);
  const { folder, name } = held;
  try {
    folders.forget();
    const stats = folder.look(name);
    folders.guard.requirePublic(path, stats, held);
    // By other threads: giving back a large file takes a while.
    if (!stats.isDirectory()) await unlink(folder.at(name));
    else if (!options.recursive) await rmdir(folder.at(name));
    else {
      await removeTree(folder, name, {
        signal: options.signal,
        inspect: (each) => folders.inspect(each),
        // What is not UTF-8 leads to nothing of ours.
        check: (holder, each) => each !== undefined && folders.requireFree(holder, each),
      });
    }
    await folder.sync();
  } finally {
    folder.release();
  }
}
