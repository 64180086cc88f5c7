import fs from "node:fs";
import { errnoOf } from "../../../errno.ts";
import { readFolder } from "../folder-reader.ts";
import { OpenFolder } from "../open-folder.ts";
import { toLocalName } from "./local-names.ts";
import { uniqueTrialName } from "./part-names.ts";

/** System errors that are not about a name; "" is not a system error. */
const OTHER_MATTERS = new Set([
  ...["", "EEXIST", "ENOTEMPTY", "ENOTDIR", "EISDIR", "ELOOP", "ENOSPC", "EDQUOT", "EROFS", "EFBIG", "EBUSY"],
  ...["ETXTBSY", "EXDEV", "EMFILE", "ENFILE", "ENOMEM"],
]);
/** Whether the error is not about a name. */
export function isOtherMatter(errno: string): boolean {
  return OTHER_MATTERS.has(errno);
}

/** Which disks keep which ends of names; each is tried once. */
export class Endings {
  readonly #known = new Map<string, boolean>();

  /** @throws the system's error when nothing can be created in `folder` */
  keeps(folder: OpenFolder, end: string): boolean {
    const key = `${folder.lookAtItself().dev} ${end}`;
    const keeps = this.#known.get(key) ?? holds(folder, `trial${end}`);
    this.#known.set(key, keeps);
    return keeps;
  }
}

/**
 * Try the name itself in a hidden folder: the disk of `folder` holds the name if the new file has it.
 *
 * @throws the system's error when not even that folder can be created
 */
export function holds(folder: OpenFolder, name: string): boolean {
  const trial = folder.at(uniqueTrialName());
  fs.mkdirSync(trial, 0o700);
  try {
    const inner = OpenFolder.open(trial);
    try {
      return isMade(inner, name) && namesIn(inner).includes(toLocalName(name));
    } finally {
      for (const made of namesIn(inner)) if (made !== undefined) fs.unlinkSync(`${trial}/${made}`);
      inner.release();
    }
  } finally {
    fs.rmdirSync(trial);
  }
}

/** @throws the system's error when it is not about the name */
function isMade(folder: OpenFolder, name: string): boolean {
  try {
    fs.closeSync(folder.create(name, 0o600));
    return true;
  } catch (cause) {
    if (isOtherMatter(errnoOf(cause))) throw cause;
    return false;
  }
}

function namesIn(folder: OpenFolder): (string | undefined)[] {
  return [...readFolder(folder.at("."))].flat();
}
