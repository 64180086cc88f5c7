import fs from "node:fs";

/** The text of a small system file, as in /proc; undefined if it is missing, or can't be read. */
export function readSystemFile(path: string): string | undefined {
  try {
    return fs.readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}
