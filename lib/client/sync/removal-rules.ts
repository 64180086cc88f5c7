import { MirrorError } from "./mirror-error.ts";
import type { SyncFindings } from "./plan-sync.ts";
import type { SyncItem } from "./sync-item.ts";

export interface RemovalRules {
  /** Whether a source without files may empty its target: more often, it is a disk that is not there. */
  readonly allowsEmpty: boolean;
  /** The most files, folders and others that are removed; with more, none is. */
  readonly maxRemovals: number;
}

/** Why nothing may be removed; undefined when everything that was found may be. */
export function refusalOf(
  { removalCount, isCut, files }: Pick<SyncFindings<SyncItem>, "removalCount" | "isCut" | "files">,
  { allowsEmpty, maxRemovals }: RemovalRules,
  hasFailed: boolean,
): MirrorError | undefined {
  if (removalCount === 0) return undefined;
  const refuse = (fault: MirrorError["fault"], why: string) =>
    new MirrorError(fault, "INCOMPLETE", `Nothing is deleted: ${why}`);
  if (hasFailed) return refuse("failed", "something before it has failed.");
  if (isCut) return refuse("cut", "the source has changed while it was listed.");
  if (files === 0 && !allowsEmpty) return refuse("empty", "the source has no files.");
  if (removalCount > maxRemovals) return refuse("many", `it would be ${removalCount}, and ${maxRemovals} are allowed.`);
  return undefined;
}
