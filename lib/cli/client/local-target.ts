import { existsSync, mkdirSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { StorageError, UsageError } from "../../errors.ts";
import { pathFault, quote } from "../../path.ts";
import { writeError } from "../../storage/disk-error.ts";
import { LocalStorage } from "../../storage/local.ts";
import type { PrivatePlaces } from "../../storage/private-places.ts";

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
 * @throws UsageError when it is one name for several things; StorageError NO_SUCH_FILE, DISK_DENIED, DISK_FULL, DISK_FAILED,
 * OWN_STATE when it is one of `places`, or lies in one
 */
export async function openTarget(
  output: string | undefined,
  things: number,
  places: PrivatePlaces,
): Promise<LocalTarget> {
  if (output === undefined) return { storage: await LocalStorage.ofUser(".", { places }), shown: "", name: undefined };
  if (isFolder(output)) {
    await makeFolder(output, places);
    return { storage: await LocalStorage.ofUser(output, { places }), shown: output, name: undefined };
  }
  if (things > 1) throw new UsageError(`--output ${output} is not a folder, but there are several files.`);
  const name = basename(output);
  if (pathFault(name) !== undefined) throw new UsageError(`--output ${output} is not a name for a file.`);
  const folder = dirname(output);
  if (!isFolder(folder)) throw new StorageError("DISK_DENIED", `The folder of ${quote(output)} does not exist.`);
  return { storage: await LocalStorage.ofUser(folder, { places }), shown: folder === "." ? "" : folder, name };
}

function isFolder(name: string): boolean {
  return name.endsWith("/") || (statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false);
}

async function makeFolder(folder: string, places: PrivatePlaces): Promise<void> {
  let above = resolve(folder);
  while (!existsSync(above)) above = dirname(above);
  // Refused before anything is made.
  await LocalStorage.ofUser(above, { places });
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw writeError(cause, quote(folder));
  }
}
