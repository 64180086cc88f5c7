import fs from "node:fs";

/** The text of a small file of the system, as below /proc; undefined where there is none, or it can't be read. */
export function readSystemFile(path: string): string | undefined {
  try {
    return fs.readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}
