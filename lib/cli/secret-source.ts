import { readFileSync } from "node:fs";
import { UsageError } from "../errors.ts";
import { quote } from "../path.ts";
import { readError } from "../storage/disk-error.ts";

/**
 * A secret from where no other process can read it: the file that a flag names, with "-" standard input, or an environment
 * variable. undefined: none was given.
 *
 * @throws StorageError NO_SUCH_FILE, DISK_DENIED, DISK_FAILED; UsageError when it is empty
 */
export function readSecret(file: unknown, variable: string): string | undefined {
  if (typeof file !== "string") return process.env[variable]?.trim() || undefined;
  const secret = file === "-" ? readInput() : readText(file);
  if (secret === "") throw new UsageError(file === "-" ? "Standard input is empty." : `${quote(file)} is empty.`);
  return secret;
}

/** It can be read once, and is asked for again when a link is made anew. */
let input: string | undefined;

function readInput(): string {
  input ??= readText(0);
  return input;
}

function readText(file: string | 0): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (cause) {
    throw readError(cause, file === 0 ? "standard input" : quote(file), "user");
  }
}
