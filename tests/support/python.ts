import { closeSync, openSync, readSync } from "node:fs";

let found: string | undefined;

/**
 * The command of the Python that `python3` stands for, without what an installation adds to its path: the scripts here
 * need the standard library alone. A version manager's `python3` is a script that takes longer than most of what Python
 * does for a test, so it is asked only once.
 */
export function python(...args: string[]): string[] {
  found ??= findPython();
  return [found, "-S", ...args];
}

function findPython(): string {
  const path = Bun.which("python3");
  if (path === null) throw new Error("python3 is not installed");
  if (!isScript(path)) return path;
  const asked = Bun.spawnSync([path, "-S", "-c", "import sys; print(sys.executable)"]);
  if (!asked.success) throw new Error(`${path}: ${asked.stderr}`);
  return asked.stdout.toString().trim();
}

function isScript(path: string): boolean {
  const file = openSync(path, "r");
  const mark = Buffer.alloc(2);
  readSync(file, mark);
  closeSync(file);
  return mark.toString() === "#!";
}
