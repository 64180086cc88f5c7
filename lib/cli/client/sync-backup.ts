import { existsSync, statSync } from "node:fs";
import { isAbsolute, relative, resolve, sep } from "node:path";
import type { Connection } from "../../client/connection.ts";
import { LocalTarget, RemoteTarget, type SyncTarget } from "../../client/sync/sync-target.ts";
import { LocalStorage } from "../../storage/local/local.ts";
import type { PrivatePlaces } from "../../storage/local/private/private-places.ts";
import { realPath } from "../../storage/local/real-path.ts";
import { UsageError } from "../usage-error.ts";
import { makeFolder } from "./sync-folder.ts";
import { isRemote, REMOTE_MARK } from "./sync-sides.ts";
import { typedFolder } from "./typed-paths.ts";

/** The target of a mirror, with the folder for what is replaced or deleted. */
export interface BackedTarget {
  readonly target: SyncTarget;
  /** That folder below the target, if it lies there: it is none of the mirror's. */
  readonly apart?: string | undefined;
}

/** `typed` is a folder of the repository, with or without a colon. @throws UsageError, StorageError BAD_PATH */
export function remoteTarget(connection: Connection, root: string, typed: string | undefined): BackedTarget {
  if (typed === undefined) return { target: new RemoteTarget(connection, root) };
  const backup = typedFolder((isRemote(typed) ? typed.slice(REMOTE_MARK.length) : typed).replace(/^\/+/, ""));
  if (backup === root || backup === "" || root.startsWith(`${backup}/`)) throw holdsTarget();
  const isBelow = root === "" || backup.startsWith(`${root}/`);
  const apart = isBelow ? backup.slice(root === "" ? 0 : root.length + 1) : undefined;
  return { target: new RemoteTarget(connection, root, backup), apart };
}

/**
 * `typed` is a folder of this machine, which is made if need be.
 *
 * @throws UsageError for a folder that holds the target, or is on another disk; StorageError when it can't be made
 */
export async function localTarget(
  storage: LocalStorage,
  typed: string | undefined,
  { places, isDry }: { readonly places: PrivatePlaces; readonly isDry: boolean },
): Promise<BackedTarget> {
  if (typed === undefined) return { target: new LocalTarget(storage) };
  if (isRemote(typed))
    throw new UsageError("--backup-dir is on the side of the target: here, a folder of this machine.");
  if (!isDry) makeFolder(typed);
  const from = storage.location;
  const backup = existsSync(typed) ? realPath(typed) : resolve(typed);
  const [down, up] = [relative(from, backup), relative(backup, from)];
  if (isInside(up) || up === "") throw holdsTarget();
  const apart = isInside(down) ? down.split(sep).join("/") : undefined;
  if (!existsSync(backup)) return { target: new LocalTarget(storage), apart };
  if (statSync(from).dev !== statSync(backup).dev) {
    throw new UsageError("--backup-dir must be on the same disk as the target: files are moved there, not copied.");
  }
  const other = await LocalStorage.ofUser(backup, { places });
  return { target: new LocalTarget(storage, (path) => storage.moveTo(other, path, path)), apart };
}

/** Whether a relative path leads down. */
function isInside(path: string): boolean {
  return path !== "" && path !== ".." && !path.startsWith(`..${sep}`) && !isAbsolute(path);
}

function holdsTarget(): UsageError {
  return new UsageError("--backup-dir can't be the target, or hold it.");
}
