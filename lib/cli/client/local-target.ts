import { mkdirSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { StorageError, UsageError } from "../../errors.ts";
import { pathFault, quote } from "../../path.ts";
import { writeError } from "../../storage/disk-error.ts";
import { LocalStorage } from "../../storage/local.ts";

/** Where what is fetched goes on this machine. */
export interface LocalTarget {
  readonly storage: LocalStorage;
  /** A folder to be written as people typed it; "" is the present one. */
  readonly shown: string;
  /** The name that the one thing that is fetched shall have, when it is not its own. */
  readonly name: string | undefined;
}

/**
 * `output` is an existing folder, a name with a slash behind it (a folder, made if need be), or the new name of the one
 * thing that is fetched.
 *
 * @throws UsageError when it is one name for several things; StorageError NO_SUCH_FILE, DISK_DENIED, DISK_FULL, DISK_FAILED
 */
export async function openTarget(output: string | undefined, things: number): Promise<LocalTarget> {
  if (output === undefined) return { storage: await LocalStorage.ofUser("."), shown: "", name: undefined };
  if (isFolder(output)) {
    makeFolder(output);
    return { storage: await LocalStorage.ofUser(output), shown: output, name: undefined };
  }
  if (things > 1) throw new UsageError(`--output ${output} is not a folder, but there are several files.`);
  const name = basename(output);
  if (pathFault(name) !== undefined) throw new UsageError(`--output ${output} is not a name for a file.`);
  const folder = dirname(output);
  if (!isFolder(folder)) throw new StorageError("DISK_DENIED", `The folder of ${quote(output)} does not exist.`);
  return { storage: await LocalStorage.ofUser(folder), shown: folder === "." ? "" : folder, name };
}

function isFolder(name: string): boolean {
  return name.endsWith("/") || (statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false);
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw writeError(cause, quote(folder));
  }
}
