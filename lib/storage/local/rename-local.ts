import fs from "node:fs";
import { fold } from "../../fold.ts";
import { parentOf } from "../../path.ts";
import { storageFault } from "../../storage-faults.ts";
import { copyName } from "../copy-name.ts";
import type { FolderMaker } from "./folder-maker.ts";
import type { Folders } from "./folders.ts";
import { isItsOwn } from "./names/own-name.ts";
import type { Held } from "./open-folder.ts";
import { renameNew } from "./rename-new.ts";

/**
 * As Storage.rename(); with `replaces`, it may replace a file or a link. `source` is the tree that `from` is in, if it is
 * another one on the same disk.
 *
 * @throws StorageError EXISTS, NOT_ALLOWED; the system's error
 */
export async function renameLocal(
  folders: Folders,
  made: FolderMaker,
  { from, to, replaces, source = folders }: { from: string; to: string; replaces: boolean; source?: Folders },
): Promise<void> {
  const old = source.changeable(from);
  let target: Held | undefined;
  try {
    target = made.makeHolder(to);
    folders.guard.requireReplaceable(to, target);
    for (const each of [folders, source]) each.forget();
    // It may be something else by now.
    source.guard.requirePublic(from, old.folder.look(old.name), old);
    if (isSpelling(old, target)) {
      respell(old, target.name, to);
    } else if (replaces && isFileOrLink(target)) {
      fs.renameSync(old.folder.at(old.name), target.folder.at(target.name));
      if (isOtherLink(old, target)) fs.unlinkSync(old.folder.at(old.name));
    } else if (!renameNew(old.folder.at(old.name), target.folder.at(target.name))) {
      throw storageFault.exists(to);
    }
    made.claim(parentOf(to));
    await Promise.all([old.folder.sync(), target.folder.sync()]);
    await made.settled(parentOf(to));
  } finally {
    old.folder.release();
    target?.folder.release();
  }
}

/**
 * Whether the old name still is there, as another name of the same file: between hard links, rename(2) does nothing. Two
 * paths of one name, by a link to a folder or a disk that takes two spellings for the same, are no such names.
 */
function isOtherLink(old: Held, target: Held): boolean {
  const [left, there] = [old, target].map(({ folder, name }) =>
    fs.lstatSync(folder.at(name), { bigint: true, throwIfNoEntry: false }),
  );
  if (left === undefined || left.nlink < 2n || left.ino !== there?.ino || left.dev !== there.dev) return false;
  const [from, to] = [old, target].map(({ folder }) => folder.lookAtItself());
  if (from?.ino !== to?.ino || from?.dev !== to?.dev) return true;
  return old.name !== target.name && isItsOwn(old.folder, old.name) && isItsOwn(target.folder, target.name);
}

function isFileOrLink({ folder, name }: Held): boolean {
  const there = fs.lstatSync(folder.at(name), { throwIfNoEntry: false });
  return there !== undefined && (there.isFile() || there.isSymbolicLink());
}

/** Whether the disk takes both names for the same, so that the old file is found under the new name. */
function isSpelling(old: Held, target: Held): boolean {
  if (old.name === target.name || fold(old.name) !== fold(target.name)) return false;
  const [from, to] = [old, target].map(({ folder }) => folder.lookAtItself());
  return from?.ino === to?.ino && from?.dev === to?.dev && !isItsOwn(target.folder, target.name);
}

/**
 * Change the case of a name. Some disks (vfat) ignore that and report success. There the rename goes through a third
 * name, which is a visible one, since the file keeps it if the power fails in between.
 *
 * @throws StorageError BAD_PATH; the system's error
 */
function respell({ folder, name }: Held, to: string, path: string): void {
  const between = copyName(name, Math.floor(Math.random() * 1e6) + 1_000);
  fs.renameSync(folder.at(name), folder.at(to));
  if (isItsOwn(folder, to)) return;
  if (!renameNew(folder.at(name), folder.at(between))) throw storageFault.inTheWay(between);
  fs.renameSync(folder.at(between), folder.at(to));
  if (isItsOwn(folder, to)) return;
  // For example, the disk cut off a dot at the end.
  fs.renameSync(folder.at(to), folder.at(name));
  throw storageFault.unkeptName(path);
}
