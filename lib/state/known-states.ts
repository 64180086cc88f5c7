import fs, { type BigIntStats } from "node:fs";
import { join } from "node:path";
import { isStill } from "../storage/local/private/private-places.ts";
import { realPath } from "../storage/local/real-path.ts";
import { readPrivate, writePrivate } from "./private-file.ts";
import { defaultStateDir, makeStateDir, usualStateDirs } from "./state-dir.ts";

/** Far more servers than anybody runs. */
const MAX_STATES = 64;

/** One file for each state folder of this user's servers that is not in the usual place; it holds the path. */
function folder(): string {
  return join(defaultStateDir(), "states");
}

/**
 * Note where a server keeps its state, so that other servers and clients of the same user protect that folder even
 * while the server is stopped. Never throws.
 */
export function noteState(stateDir: string): void {
  if (usualStateDirs().includes(stateDir)) return;
  try {
    makeStateDir(defaultStateDir());
    makeStateDir(folder());
    forgetGone();
    const real = realPath(stateDir);
    writePrivate(join(folder(), Bun.hash.xxHash3(real).toString(16)), real);
  } catch {
    // This user has no folder for notes; the mark in the state folder must be enough.
  }
}

/** The noted state folders. */
export function knownStates(): string[] {
  return noted().map(({ stateDir }) => stateDir);
}

function forgetGone(): void {
  for (const { file, stateDir } of noted()) if (!fs.existsSync(stateDir)) fs.rmSync(file, { force: true });
}

interface Note {
  readonly file: string;
  readonly stateDir: string;
}

/** The notes as they were last read: a program that walks through a tree asks for them twenty times a second. */
let last: { readonly folder: BigIntStats; readonly readAt: number; readonly notes: readonly Note[] } | undefined;

function noted(): readonly Note[] {
  try {
    const readAt = Date.now();
    const now = fs.statSync(folder(), { bigint: true });
    if (last === undefined || !isStill(last, now)) last = { folder: now, readAt, notes: readNotes(folder()) };
    return last.notes;
  } catch {
    return []; // no such folder, or not readable for us
  }
}

function readNotes(folder: string): Note[] {
  const files = fs.readdirSync(folder).filter((name) => /^[0-9a-f]+$/.test(name));
  return files.slice(0, MAX_STATES).flatMap((name) => {
    const file = join(folder, name);
    const stateDir = readPrivate(file);
    return stateDir ? [{ file, stateDir }] : [];
  });
}
