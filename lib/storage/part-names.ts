import { MAX_NAME_BYTES } from "../path.ts";

/** What an unfinished file and its journal are called: kept apart from all that people name, and never served. */
const PART = ".commserver-part";
const JOURNAL = ".commserver-journal";

// In any case of letters: there are systems to which those are the same names.
const UNFINISHED = /\.commserver-(?:part|journal)$/i;
const WITHIN_UNFINISHED = /\.commserver-(?:part|journal)(?:\/|$)/i;

/** Names for the unfinished file `name` that can be found again. */
export function resumableNames(name: string): { part: string; journal: string } {
  const stem = stemOf(name, JOURNAL);
  return { part: stem + PART, journal: stem + JOURNAL };
}

/** A name for an unfinished file `name` that nobody else uses. */
export function uniquePartName(name: string): string {
  const suffix = `.${crypto.randomUUID().slice(0, 8)}${PART}`;
  return stemOf(name, suffix) + suffix;
}

export function isUnfinished(name: string): boolean {
  return UNFINISHED.test(name);
}

/** True for a path of which any component is the name of an unfinished file. */
export function isWithinUnfinished(path: string): boolean {
  return WITHIN_UNFINISHED.test(path);
}

/** The journal that belongs to an unfinished file, or the name itself when that is one. */
export function journalOf(name: string): string {
  return name.toLowerCase().endsWith(PART) ? name.slice(0, -PART.length) + JOURNAL : name;
}

/** The file's own name where the suffix fits behind it; else a digest of it. */
function stemOf(name: string, suffix: string): string {
  const fits = Buffer.byteLength(name) + suffix.length <= MAX_NAME_BYTES;
  return fits ? name : `commserver-${Bun.hash.xxHash3(name).toString(16).padStart(16, "0")}`;
}
