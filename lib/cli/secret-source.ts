import { quote } from "../quote.ts";
import { readGiven } from "./given-file.ts";
import { UsageError } from "./usage-error.ts";

/**
 * A secret from a source that no other process can read: a file that a flag names ("-" is standard input), or an
 * environment variable. undefined when none was given.
 *
 * @throws as readGiven(); UsageError when the file or input is empty
 */
export async function readSecret(file: unknown, variable: string, signal?: AbortSignal): Promise<string | undefined> {
  if (typeof file !== "string") return process.env[variable]?.trim() || undefined;
  const secret = (await readGiven(file === "-" ? 0 : file, signal)).trim();
  if (secret === "") throw new UsageError(file === "-" ? "Standard input is empty." : `${quote(file)} is empty.`);
  return secret;
}
