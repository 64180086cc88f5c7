import fs from "node:fs";
import { join } from "node:path";
import { fold } from "../../../fold.ts";

/** The file that marks every state folder of a server or client, so that others recognize it wherever it lies. */
const MARKER = ".commserver-state";

const TEXT =
  "CommServer keeps its keys and records in this folder. No CommServer serves it, or changes it for others.\n";

// Ignores case, and what some systems cut off at the end: to them these are the same name.
const WITHIN_MARKER = /(?:^|\/)\.commserver-state[. ]*(?:\/|$)/i;
/** With letters that such systems may take for others, or ignore. */
const LIKE_MARKER = /\.(?=.*-).*[^\0-\x7f]/s;

/** True for a path with the marker's name as a component: nobody else may create such a path. */
export function isWithinMarker(path: string): boolean {
  if (WITHIN_MARKER.test(path)) return true;
  return LIKE_MARKER.test(path) && path.split("/").some((name) => fold(name) === MARKER);
}

/** Mark a state folder, if it can be written. */
export function markState(folder: string): void {
  const marker = join(folder, MARKER);
  if (fs.existsSync(marker)) return;
  try {
    fs.writeFileSync(marker, TEXT, { flag: "wx", mode: 0o600 });
  } catch {
    // Its users know it by its path.
  }
}

/**
 * Whether the folder at `place` is marked: by its owner, this user or root. Others can't turn a shared folder such as
 * /tmp into a state folder.
 */
export function isMarked(place: string): boolean {
  try {
    const marker = fs.lstatSync(`${place}/${MARKER}`, { throwIfNoEntry: false });
    if (marker === undefined) return false;
    return [fs.statSync(place).uid, process.getuid?.(), 0].includes(marker.uid);
  } catch {
    return false; // removed, or we can't enter it: then nothing in it can be reached by its name
  }
}
