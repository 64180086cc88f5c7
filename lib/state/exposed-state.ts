import { quote } from "../quote.ts";
import { exposureOf } from "./exposure.ts";

/** Words for what others on this machine can do with what shall be one user's alone. */

const ELSEWHERE = "Keep it where only you can read and write: --state-dir.";

/** Of a server's state folder and of its key, which may lie elsewhere. */
export function serverWarnings(stateDir: string, key: string | undefined): string[] {
  const warnings: string[] = [];
  const how = changeable(stateDir);
  if (how !== undefined) warnings.push(`${how}, and so become operator of this server. ${ELSEWHERE}`);
  const { canRead, mode } = key === undefined ? { canRead: false, mode: "" } : exposureOf(key);
  if (canRead) {
    const what = `Others on this machine can read this server's key, ${quote(String(key))} (its mode is ${mode})`;
    warnings.push(`${what}, and pass for this server. ${ELSEWHERE}`);
  }
  return warnings;
}

export const OPEN_SOCKET =
  "No operator's socket: others on this machine could use it, or put their own in its place. There is this server's own terminal, and a token of the role operator.";

/** Why there can be no socket in the state folder; undefined where there can. */
export function socketFault(stateDir: string): string | undefined {
  return changeable(stateDir) && OPEN_SOCKET;
}

function changeable(folder: string): string | undefined {
  const { canWrite, isAnothers, mode } = exposureOf(folder);
  if (isAnothers) return `The state folder ${quote(folder)} is another user's, who can change it`;
  return canWrite
    ? `Others on this machine can change the state folder ${quote(folder)} (its mode is ${mode})`
    : undefined;
}
