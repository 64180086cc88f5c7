import type { Flags } from "../flags.ts";
import { UsageError } from "../usage-error.ts";
import { typedFolder } from "./typed-paths.ts";

/** What a mirror is between. */
export interface SyncSides {
  /** From this machine to the repository. */
  readonly isSending: boolean;
  /** The folder of this machine, as it was typed. */
  readonly here: string;
  /** The folder of the repository; "" is its root. */
  readonly there: string;
}

/** The colon before a path of the repository. A folder of this machine that begins with one is "./:name". */
export const REMOTE_MARK = ":";

/** @throws UsageError unless exactly one of the two is of the repository; StorageError BAD_PATH */
export function syncSides({ _: names }: Flags): SyncSides {
  const [source, target] = names;
  if (source === undefined || target === undefined || names.length > 2) {
    throw new UsageError("sync takes a source and a target: sync photos :photos");
  }
  const isSending = isRemote(target);
  if (isSending === isRemote(source)) {
    const both = isSending ? "both are" : "neither is";
    throw new UsageError(
      `Either the source or the target is a folder of the repository, with a colon before it, but ${both}: sync photos :photos`,
    );
  }
  const [here, remote] = isSending ? [source, target] : [target, source];
  if (here === "") throw new UsageError('"" names no folder; the current one is "."');
  return { isSending, here, there: typedFolder(remote.slice(REMOTE_MARK.length).replace(/^\/+/, "")) };
}

export function isRemote(typed: string): boolean {
  return typed.startsWith(REMOTE_MARK);
}
