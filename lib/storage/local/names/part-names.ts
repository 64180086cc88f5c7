import { MAX_NAME_BYTES } from "../../../path.ts";

/**
 * The names of an unfinished file, its journal and its lock: people don't use such names, and they are never served.
 */
const PART = ".commserver-part";
const JOURNAL = ".commserver-journal";
const LOCK = ".commserver-lock";

// Ignores case: to some systems these are the same names.
const UNFINISHED = /\.commserver-(?:part|journal|lock)$/i;
const WITHIN_UNFINISHED = /\.commserver-(?:part|journal|lock)(?:\/|$)/i;

export interface PartNames {
  readonly part: string;
  readonly journal: string;
  /** A folder: see lock-folder.ts. */
  readonly lock: string;
}

/** The names of the unfinished file `name`, under which it can be found again. */
export function resumableNames(name: string): PartNames {
  return namesOf(stemOf(name, JOURNAL));
}

/** True when the unfinished file's name does not begin with the file's own name, which is too long. */
export function isLongName(name: string): boolean {
  return resumableNames(name).part !== name + PART;
}

/** A name for an unfinished file `name` that nobody else uses. */
export function uniquePartName(name: string): string {
  return uniqueName(name, PART);
}

/** A name for a lock of `name` that is being created. */
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

/** The lock for the moment in which a file gets the name `name`, on systems that can't check whether it is free. */
export function namingLock(name: string): string {
  const suffix = `.naming${LOCK}`;
  return stemOf(name, suffix) + suffix;
}

export function isUnfinished(name: string): boolean {
  return UNFINISHED.test(name);
}

/** True for a path with the name of an unfinished file as a component. */
export function isWithinUnfinished(path: string): boolean {
  return WITHIN_UNFINISHED.test(path);
}

/** All three names of an unfinished file, from the name of its part, its journal or its lock. */
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

/** The file's own name if the suffix fits after it, otherwise a digest of the name. */
function stemOf(name: string, suffix: string): string {
  const fits = Buffer.byteLength(name) + suffix.length <= MAX_NAME_BYTES;
  return fits ? name : `commserver-${Bun.hash.xxHash3(name).toString(16).padStart(16, "0")}`;
}
