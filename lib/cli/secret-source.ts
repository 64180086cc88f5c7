import { readFileSync } from "node:fs";
import { quote } from "../path.ts";
import { readError } from "../storage/disk-error.ts";

/**
 * A secret from where no other process can read it: the file that a flag names, with "-" standard input, or an environment
 * variable. undefined: none was given.
 *
 * @throws StorageError NO_SUCH_FILE, DISK_DENIED, DISK_FAILED
 */
export function readSecret(file: unknown, variable: string): string | undefined {
  if (typeof file !== "string") return process.env[variable]?.trim() || undefined;
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8").trim();
  } catch (cause) {
    throw readError(cause, quote(file), "user");
  }
}
