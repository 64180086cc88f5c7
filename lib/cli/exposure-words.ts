import { quote } from "../quote.ts";
import type { ExposedFile } from "../trust/known-servers.ts";

/** Words for what others on this machine can do with what only one user should reach. */

const ELSEWHERE = "Keep it where only you can read and write: --state-dir.";

export function exposedTokenWarning({ file, mode }: ExposedFile): string {
  return `Warning: others on this machine can read the token in ${quote(file)} (its mode is ${mode}). ${ELSEWHERE}`;
}
