import { writeError } from "../disk-error.ts";
import { discardFile } from "./discard-file.ts";
import { uniquePartName } from "./names/part-names.ts";
import { OpenFolder } from "./open-folder.ts";
import { OWN_FILE } from "./rights.ts";

/**
 * Why nothing can be written to this folder, as a message; undefined if a test file could be created, which is then
 * removed.
 */
export function writeFault(path: string): string | undefined {
  try {
    const folder = OpenFolder.open(path);
    try {
      const probe = uniquePartName("write");
      discardFile(folder.create(probe, OWN_FILE), folder.at(probe));
      return undefined;
    } finally {
      folder.release();
    }
  } catch (cause) {
    return writeError(cause, path).message;
  }
}
