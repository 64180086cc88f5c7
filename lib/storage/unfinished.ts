import fs from "node:fs";
import { lstat } from "node:fs/promises";
import { Pacer } from "../pacer.ts";
import { pathFault } from "../path.ts";
import { diskClock } from "./disk-clock.ts";
import { readEntries } from "./folder-reader.ts";
import type { Folders } from "./folders.ts";
import { Journal } from "./journal.ts";
import type { OpenFolder } from "./open-folder.ts";
import { isUnfinished, journalOf } from "./part-names.ts";
import type { Unfinished } from "./storage.ts";

/**
 * Unfinished files below a folder, and journals that a crash left alone. Links are not followed. Only what has the name
 * of one is looked at: of a million files the names are read, and that in turns.
 */
export async function* findUnfinished(
  folders: Folders,
  path = "",
  pacer = new Pacer(diskClock),
): AsyncGenerator<Unfinished, void> {
  let folder: OpenFolder;
  try {
    folder = folders.open(path);
  } catch {
    return; // gone, or not ours to read
  }
  try {
    for (const entries of readEntries(folder.at("."))) {
      for (const { name, isFolder } of entries) {
        if (pacer.isDue) await pacer.pause();
        if (name === undefined || (isFolder === false && !isUnfinished(name))) continue;
        const stats = await lstat(folder.at(name)).catch(() => undefined);
        const below = path === "" ? name : `${path}/${name}`;
        // Each level is held open: no deeper than any path.
        if (stats?.isDirectory() && pathFault(below) === undefined) yield* findUnfinished(folders, below, pacer);
        else if (stats?.isFile() && isUnfinished(name)) {
          // Not its mtime, which is the source's already when the file is about to get its name.
          yield { path: below, size: stats.size, modifiedAt: Math.trunc(stats.ctimeMs) };
        }
      }
    }
  } catch {
    // a folder that vanished while it was read
  } finally {
    folder.release();
  }
}

/** Remove an unfinished file with its journal. @returns false when somebody works on it, or it is gone */
export function removeUnfinished(folder: OpenFolder, name: string): boolean {
  const journal = journalOf(name);
  if (!Journal.isFree(folder.at(journal))) return false;
  for (const file of new Set([name, journal])) fs.rmSync(folder.at(file), { force: true });
  return true;
}
