import fs from "node:fs";
import { StorageError } from "../errors.ts";
import { quote } from "../path.ts";
import { errnoOf, type Owner } from "./disk-error.ts";
import type { Folders } from "./folders.ts";
import { entryOf, LocalFile, requireFile } from "./local-file.ts";
import { HAS_PROC, procPath } from "./open-place.ts";

const { O_RDONLY, O_NONBLOCK, O_NOCTTY, O_NOFOLLOW } = fs.constants;

/** As Storage.open(). @throws StorageError NOT_A_FILE, NOT_ALLOWED, CHANGED; the system's error */
export function openLocal(folders: Folders, path: string, owner: Owner): LocalFile {
  return openHere(folders, path, owner) ?? openThroughLink(folders, path, owner);
}

/** The plain case: a file by its own name in a folder that is held open. undefined when the name is a link. */
function openHere(folders: Folders, path: string, owner: Owner): LocalFile | undefined {
  const { folder, name } = folders.holder(path);
  try {
    // Looked at first, because opening a device may already do something; then the opened file is checked.
    const stats = fs.lstatSync(folder.at(name), { bigint: true });
    if (stats.isSymbolicLink()) return undefined;
    requireFile(path, stats);
    return openFile(path, folder.at(name), owner);
  } catch (cause) {
    if (errnoOf(cause) === "ELOOP") return undefined; // a link since a moment
    throw cause;
  } finally {
    folder.release();
  }
}

function openThroughLink(folders: Folders, path: string, owner: Owner): LocalFile {
  requireFile(path, folders.look(path));
  return openFile(path, folders.resolve(path), owner, (fd, ino) => requireInside(folders, path, fd, ino));
}

/**
 * What was opened must lie inside, whatever names are swapped meanwhile. Where the system does not tell the
 * path of an open file, it must be what its real path names now: that leaves a race to someone who can
 * exchange folders of the repository at the right moment.
 */
function requireInside(folders: Folders, path: string, fd: number, ino: bigint): void {
  // No name is looked up again that could be swapped meanwhile.
  if (HAS_PROC) return folders.requireBelow(path, fs.readlinkSync(procPath(fd)));
  if (fs.lstatSync(folders.resolve(path), { bigint: true }).ino !== ino) {
    throw new StorageError("CHANGED", `${quote(path)} was replaced while it was opened.`);
  }
}

/** @throws StorageError NOT_A_FILE, and what `check` throws; the system's error */
function openFile(path: string, place: string, owner: Owner, check?: (fd: number, ino: bigint) => void): LocalFile {
  const fd = fs.openSync(place, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
  try {
    const opened = fs.fstatSync(fd, { bigint: true });
    requireFile(path, opened);
    check?.(fd, opened.ino);
    return new LocalFile(fd, entryOf(path, opened), owner);
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}
