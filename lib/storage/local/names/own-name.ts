import fs, { type BigIntStats } from "node:fs";
import { errnoOf } from "../../../errno.ts";
import { parentOf } from "../../../path.ts";
import { readFolder } from "../folder-reader.ts";
import type { Folders } from "../folders.ts";
import type { OpenFolder } from "../open-folder.ts";
import { toLocalName } from "./local-names.ts";

/** ASCII only, with nothing at the end that a disk may cut off. */
const PLAIN = /^[\0-\x7f]*[^. ]$/s;

/** As Storage.hasOwnName(). @throws StorageError as Folders.holder(); the system's error */
export function hasOwnName(folders: Folders, path: string): boolean {
  try {
    for (let above = path; above !== ""; above = parentOf(above)) {
      const { folder, name } = folders.holder(above);
      try {
        if (!isItsOwn(folder, name)) return false;
      } finally {
        folder.release();
      }
    }
  } catch (cause) {
    if (!["ENOENT", "ENOTDIR"].includes(errnoOf(cause))) throw cause;
  }
  return true;
}

/** Whether the entry `name` in `folder` has exactly this name, or does not exist. @throws the system's error */
export function isItsOwn(folder: OpenFolder, name: string): boolean {
  const there = look(folder, name);
  if (there === undefined) return true;
  if (PLAIN.test(name)) {
    const swapped = swapCase(name);
    // Some drivers give a file a different number for each spelling of its name.
    if (swapped === name || isOther(there, look(folder, swapped))) return true;
  }
  const local = toLocalName(name);
  for (const names of readFolder(folder.at("."))) if (names.includes(local)) return true;
  return false;
}

function isOther(there: BigIntStats, other: BigIntStats | undefined): boolean {
  if (other === undefined) return true;
  return there.ino !== other.ino && (there.size !== other.size || there.mtimeNs !== other.mtimeNs);
}

function look(folder: OpenFolder, name: string): BigIntStats | undefined {
  return fs.lstatSync(folder.at(name), { bigint: true, throwIfNoEntry: false });
}

function swapCase(name: string): string {
  return name.replace(/[a-z]/gi, (letter) => (letter < "a" ? letter.toLowerCase() : letter.toUpperCase()));
}
