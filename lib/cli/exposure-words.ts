import { quote } from "../quote.ts";
import type { StateWarning } from "../state/exposed-state.ts";
import type { ExposedFile } from "../trust/known-servers.ts";

/** Warnings about files of one user that others on this machine can read or change. */

const ELSEWHERE = "Keep it where only you can read and write: --state-dir.";

export function exposedTokenWarning({ file, mode }: ExposedFile): string {
  return `Warning: others on this machine can read the token in ${quote(file)} (its mode is ${mode}). ${ELSEWHERE}`;
}

export function exposureText(warning: StateWarning): string {
  if (warning.kind === "readable key") {
    const what = `Others on this machine can read this server's key, ${quote(warning.file)} (its mode is ${warning.mode})`;
    return `${what}, and impersonate this server. ${ELSEWHERE}`;
  }
  const folder = quote(warning.folder);
  const how = warning.isAnothers
    ? `The state folder ${folder} belongs to another user, who can change it`
    : `Others on this machine can change the state folder ${folder} (its mode is ${warning.mode})`;
  return `${how}, and so become an operator of this server. ${ELSEWHERE}`;
}
