import { existsSync, mkdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { errnoOf } from "../../errno.ts";
import { StorageError } from "../../errors.ts";
import { joinPath, pathFault } from "../../path.ts";
import { quote } from "../../quote.ts";
import { writeError } from "../../storage/disk-error.ts";
import { LocalStorage } from "../../storage/local/local.ts";
import { fromLocalName, isMapped, toLocalPath } from "../../storage/local/names/local-names.ts";
import type { PrivatePlaces } from "../../storage/local/private/private-places.ts";
import { UsageError } from "../usage-error.ts";
import { placeFrom } from "./local-place.ts";

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
 * the single fetched file, otherwise of a folder. Folders above it are created, too. What exists already does not change the meaning, so that the same
 * command resumes where it was interrupted. `here`: as placeFrom().
 *
 * @throws UsageError when `output` can't be a name; StorageError NO_SUCH_FILE, DISK_DENIED, DISK_FULL, DISK_FAILED,
 * OWN_STATE when it is one of `places`, or lies in one
 */
export async function openTarget(
  output: string | undefined,
  places: PrivatePlaces,
  here?: string,
): Promise<LocalTarget> {
  const site: Site = { places, here };
  const isThere = (name: string) => isFolder(placeFrom(here, name));
  if (output === undefined || isThere(output)) return inFolder(output ?? "", site);
  if (isFolderName(output)) return inNewFolder(output, site);
  const name = fromLocalName(basename(output));
  if (pathFault(name) !== undefined) throw new UsageError(`--output ${quote(output)} is not a name for a file.`);
  const target = await inNewFolder(dirname(output), site);
  const path = joinPath(target.into ?? "", name);
  return { ...target, into: existsSync(placeFrom(here, output)) ? undefined : path, fileName: path };
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

interface Site {
  readonly places: PrivatePlaces;
  readonly here: string | undefined;
}

async function inFolder(folder: string, { places, here }: Site): Promise<LocalTarget> {
  const storage = await LocalStorage.ofUser(placeFrom(here, folder === "" ? "." : folder), { places });
  return { storage, shown: folder, into: "", fileName: undefined };
}

/**
 * A folder that may exist. It is created with the first file in it, so that a command that fetches nothing leaves no
 * empty folder.
 */
async function inNewFolder(folder: string, site: Site): Promise<LocalTarget> {
  const place = (name: string) => placeFrom(site.here, name);
  const names: string[] = [];
  let above = folder;
  for (; !existsSync(place(above)); above = dirname(above)) names.unshift(fromLocalName(basename(above)));
  if (!isFolder(place(above))) throw new StorageError("DISK_DENIED", `${quote(above)} is a file, not a folder.`);
  const target = await inFolder(above === "." ? "" : above, site);
  const into = names.join("/");
  if (pathFault(into) === undefined) return { ...target, into };
  // The system allows names that no repository path may have.
  try {
    mkdirSync(place(folder), { recursive: true });
  } catch (cause) {
    throw writeError(cause, folder);
  }
  return inFolder(folder, site);
}
