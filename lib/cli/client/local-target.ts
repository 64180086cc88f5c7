import { existsSync, mkdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { errnoOf } from "../../errno.ts";
import { StorageError } from "../../errors.ts";
import { pathFault } from "../../path.ts";
import { quote } from "../../quote.ts";
import { writeError } from "../../storage/disk-error.ts";
import { LocalStorage } from "../../storage/local/local.ts";
import { fromLocalName, isMapped, toLocalPath } from "../../storage/local/names/local-names.ts";
import type { PrivatePlaces } from "../../storage/local/private/private-places.ts";
import { UsageError } from "../usage-error.ts";

/** Where what is fetched goes on this machine. */
export interface LocalTarget {
  readonly storage: LocalStorage;
  /** The folder of `storage` as people typed it; "" is the present one. */
  readonly shown: string;
  /** The folder in `storage` that it goes into, made when the first of it comes; "" is that of `storage`. undefined: there is
   * a file in its place. */
  readonly into: string | undefined;
  /** In place of that and of its own name: where a file goes that was asked for by its name, alone. */
  readonly fileName: string | undefined;
}

/**
 * `output` is a folder that exists, a name with a slash behind it (a folder, made if need be), or another name: of the one
 * file that is fetched, else of a folder as well. What is there already does not change what it means, so that the same
 * command goes on where it was interrupted.
 *
 * @throws UsageError when it can't be a name; StorageError NO_SUCH_FILE, DISK_DENIED, DISK_FULL, DISK_FAILED, OWN_STATE when
 * it is one of `places`, or lies in one
 */
export async function openTarget(output: string | undefined, places: PrivatePlaces): Promise<LocalTarget> {
  if (output === undefined || isFolder(output)) return inFolder(output ?? "", places);
  if (isFolderName(output)) return inNewFolder(output, places);
  const name = fromLocalName(basename(output));
  if (pathFault(name) !== undefined) throw new UsageError(`--output ${quote(output)} is not a name for a file.`);
  const folder = dirname(output);
  if (!isFolder(folder)) throw new StorageError("DISK_DENIED", `The folder of ${quote(output)} does not exist.`);
  const target = await inFolder(folder === "." ? "" : folder, places);
  return { ...target, into: existsSync(output) ? undefined : name, fileName: name };
}

/** Where a path of the target is on this machine, by the names that are on its disk. */
export function placeIn(
  { shown }: Pick<LocalTarget, "shown">,
  path: string,
  platform: NodeJS.Platform = process.platform,
): string {
  const local = isMapped(path, platform) ? toLocalPath(path, platform) : path;
  return shown === "" ? local : join(shown, local);
}

/** True for a name that says so itself: with a slash behind it, on Windows also a backslash. */
export function isFolderName(name: string, platform: NodeJS.Platform = process.platform): boolean {
  return name.endsWith("/") || (platform === "win32" && name.endsWith("\\"));
}

/** @throws StorageError when it can't be told */
function isFolder(name: string): boolean {
  try {
    return statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch (cause) {
    if (errnoOf(cause) === "ENOTDIR") return false; // below a file, or a file with a slash behind it
    throw writeError(cause, quote(name));
  }
}

async function inFolder(folder: string, places: PrivatePlaces): Promise<LocalTarget> {
  const storage = await LocalStorage.ofUser(folder === "" ? "." : folder, { places });
  return { storage, shown: folder, into: "", fileName: undefined };
}

/** One that is made with the first file in it: a command that fetches nothing leaves none behind. */
async function inNewFolder(folder: string, places: PrivatePlaces): Promise<LocalTarget> {
  const names: string[] = [];
  let above = folder;
  for (; !existsSync(above); above = dirname(above)) names.unshift(fromLocalName(basename(above)));
  if (!isFolder(above)) throw new StorageError("DISK_DENIED", `${quote(above)} is a file, and no folder.`);
  const target = await inFolder(above === "." ? "" : above, places);
  const into = names.join("/");
  if (pathFault(into) === undefined) return { ...target, into };
  // This system has names that no path in a repository has.
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw writeError(cause, quote(folder));
  }
  return inFolder(folder, places);
}
