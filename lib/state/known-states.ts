import fs from "node:fs";
import { join } from "node:path";
import { readPrivate, writePrivate } from "./private-file.ts";
import { defaultStateDir, makeStateDir, usualStateDirs } from "./state-dir.ts";

/** Far more than the servers that anybody runs. */
const MAX_STATES = 64;

/** A file for each state folder of this user's servers that is not where such folders usually are: its path. */
function folder(): string {
  return join(defaultStateDir(), "states");
}

/**
 * Note where a server keeps its state, for the other servers and the clients of the same user: also while it does not
 * run they know what leads there. Never throws.
 */
export function noteState(stateDir: string): void {
  if (usualStateDirs().includes(stateDir)) return;
  try {
    makeStateDir(defaultStateDir());
    makeStateDir(folder());
    forgetGone();
    const real = fs.realpathSync.native(stateDir);
    writePrivate(join(folder(), Bun.hash.xxHash3(real).toString(16)), real);
  } catch {
    // A user without a folder for it; the state folder has its mark.
  }
}

/** The state folders that were noted. */
export function knownStates(): string[] {
  return noted().map(({ stateDir }) => stateDir);
}

function forgetGone(): void {
  for (const { file, stateDir } of noted()) if (!fs.existsSync(stateDir)) fs.rmSync(file, { force: true });
}

function noted(): { file: string; stateDir: string }[] {
  try {
    const files = fs.readdirSync(folder()).filter((name) => /^[0-9a-f]+$/.test(name));
    return files.slice(0, MAX_STATES).flatMap((name) => {
      const file = join(folder(), name);
      const stateDir = readPrivate(file);
      return stateDir ? [{ file, stateDir }] : [];
    });
  } catch {
    return []; // none, or not for us to read
  }
}
