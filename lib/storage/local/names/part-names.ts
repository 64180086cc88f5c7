import { MAX_NAME_BYTES } from "../../../path.ts";

/**
 * What an unfinished file, its journal and its lock are called: names that people don't use, and that are never served.
 */
const PART = ".commserver-part";
const JOURNAL = ".commserver-journal";
const LOCK = ".commserver-lock";

// Ignoring case: to some systems those are the same names.
const UNFINISHED = /\.commserver-(?:part|journal|lock)$/i;
const WITHIN_UNFINISHED = /\.commserver-(?:part|journal|lock)(?:\/|$)/i;

export interface PartNames {
  readonly part: string;
  readonly journal: string;
  /** A folder: see lock-folder.ts. */
  readonly lock: string;
}

/** Names for the unfinished file `name` that can be found again. */
export function resumableNames(name: string): PartNames {
  return namesOf(stemOf(name, JOURNAL));
}

/** True when the unfinished file has another name before the suffix than the file will have. */
export function isLongName(name: string): boolean {
  return resumableNames(name).part !== name + PART;
}

/** A name for an unfinished file `name` that nobody else uses. */
export function uniquePartName(name: string): string {
  return uniqueName(name, PART);
}

/** A name for a lock of `name` that is being made. */
export function uniqueLockName(name: string): string {
  return uniqueName(name, LOCK);
}

const TRIAL = "commserver-trial";
const OF_TRIAL = new RegExp(`^${TRIAL}\\.[0-9a-f]{8}\\${LOCK}$`, "i");

/** A name for a folder in which names are tried: see name-trial.ts. */
export function uniqueTrialName(): string {
  return uniqueLockName(TRIAL);
}

export function isTrial(name: string): boolean {
  return OF_TRIAL.test(name);
}

/** The lock for the moment in which a file gets the name `name`, where the system can't tell whether it is free. */
export function namingLock(name: string): string {
  const suffix = `.naming${LOCK}`;
  return stemOf(name, suffix) + suffix;
}

export function isUnfinished(name: string): boolean {
  return UNFINISHED.test(name);
}

/** True for a path of which any component is the name of an unfinished file. */
export function isWithinUnfinished(path: string): boolean {
  return WITHIN_UNFINISHED.test(path);
}

/** All names that go with the one of an unfinished file, of its journal or of its lock. */
export function siblingNames(name: string): PartNames {
  return namesOf(name.replace(UNFINISHED, ""));
}

function namesOf(stem: string): PartNames {
  return { part: stem + PART, journal: stem + JOURNAL, lock: stem + LOCK };
}

function uniqueName(name: string, kind: string): string {
  const suffix = `.${crypto.randomUUID().slice(0, 8)}${kind}`;
  return stemOf(name, suffix) + suffix;
}

/** The file's own name where the suffix fits behind it; else a digest of it. */
function stemOf(name: string, suffix: string): string {
  const fits = Buffer.byteLength(name) + suffix.length <= MAX_NAME_BYTES;
  return fits ? name : `commserver-${Bun.hash.xxHash3(name).toString(16).padStart(16, "0")}`;
}
