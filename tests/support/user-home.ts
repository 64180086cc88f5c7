import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const HOMES = join(import.meta.dir, "../../node_modules/.cache/commserver-homes");

/**
 * The home of this run's user, through which its servers and clients find each other. A killed server leaves its invite
 * there, and its port will be reused: so each run has a new home, and removes those of ended runs.
 */
export function homeOfThisRun(): string {
  mkdirSync(HOMES, { recursive: true });
  for (const name of readdirSync(HOMES))
    if (!runs(Number(name))) rmSync(join(HOMES, name), { recursive: true, force: true });
  return join(HOMES, `${process.pid}`);
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === "EPERM";
  }
}
