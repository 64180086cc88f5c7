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

/** Where fetched files go on this machine. */
export interface LocalTarget {
  readonly storage: LocalStorage;
  /** The folder of `storage` as the user typed it; "" is the current one. */
  readonly shown: string;
  /**
   * The folder in `storage` that the files go into, created with the first of them; "" is the root of `storage`.
   * undefined when a file has that name.
   */
  readonly into: string | undefined;
  /** The name for a single file that was asked for by its name; it replaces `into` and the file's own name. */
  readonly fileName: string | undefined;
}

/**
 * `output` is a folder that exists, a name that ends with a slash (a folder, created if need be), or another name: of
 * the single fetched file, otherwise of a folder. What exists already does not change the meaning, so that the same
 * command resumes where it was interrupted.
 *
 * @throws UsageError when `output` can't be a name; StorageError NO_SUCH_FILE, DISK_DENIED, DISK_FULL, DISK_FAILED,
 * OWN_STATE when it is one of `places`, or lies in one
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

/** The place on this machine of a path of the target, with the names that the disk has. */
export function placeIn(
  { shown }: Pick<LocalTarget, "shown">,
  path: string,
  platform: NodeJS.Platform = process.platform,
): string {
  const local = isMapped(path, platform) ? toLocalPath(path, platform) : path;
  return shown === "" ? local : join(shown, local);
}

/** True for a name that ends with a slash, on Windows also with a backslash. */
export function isFolderName(name: string, platform: NodeJS.Platform = process.platform): boolean {
  return name.endsWith("/") || (platform === "win32" && name.endsWith("\\"));
}

/** @throws StorageError when the system does not say */
function isFolder(name: string): boolean {
  try {
    return statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch (cause) {
    if (errnoOf(cause) === "ENOTDIR") return false; // below a file, or a file's name with a slash at its end
    throw writeError(cause, name);
  }
}

async function inFolder(folder: string, places: PrivatePlaces): Promise<LocalTarget> {
  const storage = await LocalStorage.ofUser(folder === "" ? "." : folder, { places });
  return { storage, shown: folder, into: "", fileName: undefined };
}

/** The folder is created with the first file in it, so that a command that fetches nothing leaves no empty folder. */
async function inNewFolder(folder: string, places: PrivatePlaces): Promise<LocalTarget> {
  const names: string[] = [];
  let above = folder;
  for (; !existsSync(above); above = dirname(above)) names.unshift(fromLocalName(basename(above)));
  if (!isFolder(above)) throw new StorageError("DISK_DENIED", `${quote(above)} is a file, not a folder.`);
  const target = await inFolder(above === "." ? "" : above, places);
  const into = names.join("/");
  if (pathFault(into) === undefined) return { ...target, into };
  // The system allows names that no repository path may have.
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw writeError(cause, folder);
  }
  return inFolder(folder, places);
}
