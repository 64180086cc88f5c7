import fs from "node:fs";
import { storageFault } from "../../storage-faults.ts";
import { copyName } from "../copy-name.ts";
import type { ExistsPolicy } from "../storage.ts";
import type { OpenFolder } from "./open-folder.ts";

/** How many names are tried for another file of the same name. */
const MAX_COPIES = 10_000;

/**
 * Give the finished file `part` its name, atomically. Only "overwrite" ever replaces what is there.
 *
 * @returns the name that it got, which differs from `name` only with "rename"
 * @throws StorageError EXISTS; the system's error
 */
export function publish(folder: OpenFolder, part: string, name: string, exists: ExistsPolicy): string {
  if (exists === "overwrite") {
    requireReplaceable(folder, name);
    fs.renameSync(folder.at(part), folder.at(name));
    return name;
  }
  for (let copy = 0; copy < MAX_COPIES; copy++) {
    const tried = copy === 0 ? name : copyName(name, copy);
    if (folder.renameNew(part, tried)) return tried;
    if (exists !== "rename") break;
  }
  throw storageFault.exists(name);
}

/** @throws StorageError EXISTS when the present entry is not a file: a rename would replace a device by a file */
function requireReplaceable(folder: OpenFolder, name: string): void {
  const there = fs.lstatSync(folder.at(name), { throwIfNoEntry: false });
  if (there === undefined || there.isFile() || there.isSymbolicLink()) return;
  throw storageFault.noFile(name);
}
