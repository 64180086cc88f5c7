import type { Digest64 } from "../../block.ts";
import { baseName, joinPath, parentOf } from "../../path.ts";

const STAGED = /^\.commserver-new-[0-9a-f]{16}$/;

/** The path of the staged file for `path`: the same each time, so that an interrupted file is resumed. */
export function stagedPath(path: string, digest64: Digest64): string {
  const digest = digest64(new TextEncoder().encode(path), 0);
  return joinPath(parentOf(path), `.commserver-new-${digest.toString(16).padStart(16, "0")}`);
}

/** Whether something of this name may be a staged file that an interrupted run has left. */
export function isStagedName(path: string): boolean {
  return STAGED.test(baseName(path));
}
