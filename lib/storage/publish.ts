import fs from "node:fs";
import { StorageError } from "../errors.ts";
import { MAX_NAME_BYTES } from "../path.ts";
import { quote } from "../quote.ts";
import type { OpenFolder } from "./local/open-folder.ts";
import type { ExistsPolicy } from "./storage.ts";

/** Names that are tried for a second file of one name. */
const MAX_COPIES = 10_000;
/** What is longer, in UTF-16 units, is no extension but a part of the name. */
const MAX_EXTENSION = 32;

/**
 * Give the finished file `part` its name, atomically. Only "overwrite" ever replaces what is there.
 *
 * @returns the name it got: another than `name` only with "rename"
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
  throw new StorageError("EXISTS", `${quote(name)} exists.`);
}

/** `report (2).pdf` for a second `report.pdf`; a name that would be too long for the system loses of its stem. */
export function copyName(name: string, copy: number): string {
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 && name.length - dot <= MAX_EXTENSION ? name.slice(dot) : "";
  const stem = [...name.slice(0, name.length - extension.length)];
  for (;;) {
    const tried = `${stem.join("")} (${copy + 1})${extension}`;
    if (encoder.encode(tried).length <= MAX_NAME_BYTES) return tried;
    stem.pop();
  }
}

const encoder = new TextEncoder();

/** @throws StorageError EXISTS when what is there is no file: a rename would put a file in the place of a device */
function requireReplaceable(folder: OpenFolder, name: string): void {
  const there = fs.lstatSync(folder.at(name), { throwIfNoEntry: false });
  if (there === undefined || there.isFile() || there.isSymbolicLink()) return;
  throw new StorageError("EXISTS", `${quote(name)} is not a file, and is not replaced by one.`);
}
