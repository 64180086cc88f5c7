import { existsSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, normalize, resolve, sep } from "node:path";
import type { LocalSources, SendSource } from "../../client/send-plan.ts";
import { isGlob } from "../../glob.ts";
import { quote } from "../../quote.ts";
import { readError } from "../../storage/disk-error.ts";
import { LocalStorage } from "../../storage/local/local.ts";
import { fromLocalName } from "../../storage/local/names/local-names.ts";
import type { PrivatePlaces } from "../../storage/local/private/private-places.ts";
import { realPath } from "../../storage/local/real-path.ts";
import { UsageError } from "../usage-error.ts";
import { placeFrom } from "./local-place.ts";

/** Files, folders and patterns to send, on the disk of this machine. */
export class DiskSources implements LocalSources {
  readonly #places: PrivatePlaces;
  readonly #opened = new Map<string, Promise<LocalStorage>>();
  /** Paths that listings left out. */
  readonly #hidden: string[] = [];

  readonly #here: string | undefined;
  readonly #keepsFolders: boolean;

  /** `places` are never sent. `here`: as placeFrom(). `keepsFolders`: names have the folders above them, too. */
  constructor(places: PrivatePlaces, here?: string, keepsFolders = false) {
    this.#places = places;
    this.#keepsFolders = keepsFolders;
    this.#here = here;
  }

  /** @throws StorageError; UsageError for anything that is neither a file nor a folder */
  async find(source: string): Promise<SendSource> {
    // A file may have a name like a pattern. Shells without patterns leave them to us; a file of names has only names.
    const place = placeFrom(this.#here, source);
    if (isGlob(source) && !this.#keepsFolders && !existsSync(place)) {
      const { top, below } = splitPattern(source);
      return { kind: "pattern", pattern: below, open: () => this.#open(placeFrom(this.#here, top)) };
    }
    const { real, isFolder } = lookAt(source, place);
    const isHere = [".", ".."].includes(basename(source)) || dirname(real) === real;
    const own = this.#keepsFolders ? pathBelow(source) : fromLocalName(basename(resolve(place)));
    const name = isHere ? "" : own;
    if (isFolder) return { kind: "folder", name, open: () => this.#open(real) };
    return { kind: "file", name, path: fromLocalName(basename(real)), open: () => this.#open(dirname(real)) };
  }

  takeHidden(): string[] {
    return this.#hidden.splice(0);
  }

  /** @throws as LocalStorage.ofUser() */
  #open(folder: string): Promise<LocalStorage> {
    const settings = { places: this.#places, onHidden: (path: string) => void this.#hidden.push(path) };
    const opened = this.#opened.get(folder) ?? LocalStorage.ofUser(folder, settings);
    this.#opened.set(folder, opened);
    return opened;
  }
}

/** A named link is followed: its target is sent under the link's name. @throws StorageError; UsageError */
function lookAt(source: string, place: string): { real: string; isFolder: boolean } {
  if (source === "-" && !existsSync(place)) throw notSent("Standard input");
  try {
    const stats = statSync(place);
    // A source must have a known size, and still be there after a lost link.
    if (!stats.isFile() && !stats.isDirectory()) throw notSent(quote(source));
    return { real: realPath(place), isFolder: stats.isDirectory() };
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw readError(cause, source, "user");
  }
}

/** A name from a list as a path of the repository. @throws UsageError when it is not below the current folder */
function pathBelow(source: string): string {
  const path = normalize(source)
    .split(sep)
    .filter((name) => name !== "");
  if (isAbsolute(source) || path.includes(".."))
    throw new UsageError(`${quote(source)} is not below the current folder: a list has names that begin there.`);
  return path.map((name) => fromLocalName(name)).join("/");
}

function notSent(what: string): UsageError {
  return new UsageError(`${what} can't be sent: it is not a regular file. Pipe it in: put - --as NAME < FILE`);
}

/** The local folder in which a pattern begins (not a repository path), and the pattern below it. */
export function splitPattern(
  pattern: string,
  platform: NodeJS.Platform = process.platform,
): { top: string; below: string } {
  const isWindows = platform === "win32";
  const components = (isWindows ? pattern.replaceAll("\\", "/") : pattern).split("/");
  const first = components.findIndex(isGlob);
  const top = components.slice(0, first).join("/");
  const below = components.slice(first).join("/");
  if (first === 0) return { top: ".", below };
  // "C:" alone is the current folder of that drive.
  return { top: isWindows && /^[A-Za-z]:$/.test(top) ? `${top}/` : top || "/", below };
}
