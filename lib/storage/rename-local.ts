import fs from "node:fs";
import { StorageError } from "../errors.ts";
import { parentOf, quote } from "../path.ts";
import type { Folders } from "./folders.ts";
import type { Held } from "./open-folder.ts";
import { renameNew } from "./rename-new.ts";

/**
 * As Storage.rename(); with `replaces` over a file or a link.
 *
 * @throws StorageError EXISTS, NOT_ALLOWED; the system's error
 */
export async function renameLocal(folders: Folders, from: string, to: string, replaces: boolean): Promise<void> {
  const old = folders.changeable(from);
  let target: Held | undefined;
  try {
    target = folders.makeHolder(to);
    folders.guard.requireReplaceable(to, target);
    folders.forget();
    // What it was when it was looked at before, it need not be any more.
    folders.guard.requirePublic(from, old.folder.look(old.name), old);
    if (replaces && isFileOrLink(target)) {
      fs.renameSync(old.folder.at(old.name), target.folder.at(target.name));
    } else if (!renameNew(old.folder.at(old.name), target.folder.at(target.name))) {
      throw new StorageError("EXISTS", `${quote(to)} exists.`);
    }
    folders.claim(parentOf(to));
    await Promise.all([old.folder.sync(), target.folder.sync()]);
  } finally {
    old.folder.release();
    target?.folder.release();
  }
}

function isFileOrLink({ folder, name }: Held): boolean {
  const there = fs.lstatSync(folder.at(name), { throwIfNoEntry: false });
  return there !== undefined && (there.isFile() || there.isSymbolicLink());
}
