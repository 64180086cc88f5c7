import fs, { type Stats } from "node:fs";
import { errnoOf } from "../../errno.ts";
import { discardFile } from "./discard-file.ts";
import { uniquePartName } from "./names/part-names.ts";
import type { OpenFolder } from "./open-folder.ts";
import { HAS_MODES, isWider, OWN_FILE, tryNarrow } from "./rights.ts";

const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
const OPEN = O_RDWR | O_NOFOLLOW | O_NONBLOCK;
/** Others may take the name between the check and the opening. */
const MAX_TRIES = 8;

/** The bytes of an unfinished file. */
export interface OpenPart {
  readonly fd: number;
  readonly size: number;
  /** True when its disk sets its own permissions, and keeps no others. */
  readonly isLax: boolean;
}

/**
 * Open or create the unfinished file `name`, with the permissions of `mode` or fewer from its first byte on. A part of
 * another user, who could read the data, is not resumed.
 *
 * @param onNew called before the file is created, when no part of it is there
 * @throws the system's error
 */
export function openPart(folder: OpenFolder, name: string, mode: number, onNew: () => void): OpenPart {
  const place = folder.at(name);
  for (let tries = 1; ; tries++) {
    const found = fs.lstatSync(place, { throwIfNoEntry: false });
    const kept = found?.isFile() ? openKept(folder, name, mode) : undefined;
    if (kept !== undefined) return kept;
    onNew();
    try {
      if (found?.isFile()) fs.unlinkSync(place);
      const fd = fs.openSync(place, OPEN | O_CREAT | O_EXCL, mode);
      return { fd, size: 0, isLax: isWider(fs.fstatSync(fd), mode) };
    } catch (cause) {
      if (errnoOf(cause) !== "EEXIST" || tries === MAX_TRIES) throw cause;
    }
  }
}

/** The part that an earlier run has left; undefined when it is another user's. @throws the system's error */
function openKept(folder: OpenFolder, name: string, mode: number): OpenPart | undefined {
  const fd = fs.openSync(folder.at(name), OPEN);
  let isOurs = false;
  try {
    const stats = fs.fstatSync(fd);
    const { size } = stats;
    isOurs = !HAS_MODES || (stats.uid === process.geteuid?.() && stats.nlink === 1 && !isWider(stats, mode));
    if (isOurs) return { fd, size, isLax: !HAS_MODES };
    // Owner and permissions of a new file of ours on this disk: some disks give all files one owner, or fixed
    // permissions.
    const own = probe(folder, name);
    if (stats.uid !== own.uid || stats.nlink !== 1) return undefined;
    const isLax = isWider(own, OWN_FILE);
    if (!isLax) tryNarrow(fd, mode);
    if (!isLax && isWider(fs.fstatSync(fd), mode)) return undefined;
    isOurs = true;
    return { fd, size, isLax };
  } finally {
    if (!isOurs) fs.closeSync(fd);
  }
}

function probe(folder: OpenFolder, name: string): Stats {
  const part = uniquePartName(name);
  const fd = folder.create(part, OWN_FILE);
  try {
    return fs.fstatSync(fd);
  } finally {
    discardFile(fd, folder.at(part));
  }
}
