import { readTextFile } from "../state/text-file.ts";
import { unlessAborted } from "./unless-aborted.ts";

/**
 * The text of a file that a flag names; 0 is standard input.
 *
 * @throws as readTextFile(); CommError INTERRUPTED when `signal` aborts first
 */
export function readGiven(file: string | 0, signal?: AbortSignal): Promise<string> {
  return signal === undefined ? readTextFile(file) : unlessAborted(readTextFile(file), signal);
}
