import fs, { type BigIntStats } from "node:fs";
import { join, sep } from "node:path";
import { StorageError } from "../errors.ts";
import { baseName, parentOf, quote } from "../path.ts";
import { errnoOf } from "./disk-error.ts";
import { toLocalName } from "./local-names.ts";
import { MadeFolders } from "./made-folders.ts";
import { OpenFolder } from "./open-folder.ts";
import { factsAt } from "./open-place.ts";
import { isWithinUnfinished } from "./part-names.ts";
import { folderMode, isWider } from "./rights.ts";

/** How long an open folder stands for its path: files of a tree come and go by thousands in it. */
const REUSE_MS = 50;
const MAX_KEPT = 16;

/** Every system takes a path of so many characters, of up to three bytes each. */
const SURELY_SHORT = 1023 / 3;

/** Components that are no names, so that a path with them would lead elsewhere. */
const STRAY = sep === "/" ? /(?:^|\/)\.{0,2}(?:\/|$)/ : /(?:^|\/)\.{0,2}(?:\/|$)|\\/;

/** Finds the folders of a tree, none of them outside of it. */
export class Folders {
  /** The root with all links resolved; everything lies below. */
  readonly root: string;
  /** Folders opened a moment ago, in that order. */
  readonly #kept = new Map<string, { folder: OpenFolder; until: number }>();
  readonly #made = new MadeFolders();

  constructor(root: string) {
    this.root = root;
  }

  /**
   * The real path of `path`.
   *
   * @throws StorageError NOT_ALLOWED when it lies outside, also when it does not exist there, BAD_PATH for what is no
   * path; system errors
   */
  resolve(path: string): string {
    return this.#reach(path, (place) => {
      const real = fs.realpathSync.native(place);
      this.requireBelow(path, real);
      return real;
    });
  }

  /** The facts of what is at `path`, links followed: of the very thing that was seen to lie inside. @throws as resolve() */
  look(path: string): BigIntStats {
    return this.#reach(path, (place) => factsAt(place, (real) => this.requireBelow(path, real)));
  }

  /** @throws StorageError NOT_ALLOWED when the real path `real` lies outside */
  requireBelow(path: string, real: string): void {
    const { root } = this;
    const inside = real === root || real.startsWith(root.endsWith(sep) ? root : root + sep);
    if (!inside) throw new StorageError("NOT_ALLOWED", `${quote(path)} is a link that leads out of the repository.`);
  }

  /** The open folder at `path`, which the caller releases. @throws as resolve() */
  open(path: string): OpenFolder {
    const kept = this.#kept.get(path);
    if (kept !== undefined) {
      if (performance.now() < kept.until && !kept.folder.isGone) return kept.folder.retain();
      this.#kept.delete(path);
      kept.folder.release();
    }
    const folder = OpenFolder.open(this.resolve(path), (real) => this.requireBelow(path, real));
    this.#keep(path, folder);
    return folder.retain();
  }

  /**
   * The folder `name` in an open one, whatever is at its path by now; the caller releases it. `path`: for words.
   *
   * @throws as open()
   */
  openIn(holder: OpenFolder, name: string, path: string): OpenFolder {
    return OpenFolder.open(holder.at(name), (real) => this.requireBelow(path, real));
  }

  /** As open(), made where it is missing. @throws as open(), StorageError EXISTS when a file is in the way */
  make(path: string): OpenFolder {
    return this.#openOrMake(path, folderMode(undefined)).folder;
  }

  /** Make the folder at `path`, with what the umask leaves of `mode`. @returns false when it was there @throws as make() */
  ensure(path: string, mode: number): boolean {
    const { folder, isNew } = this.#openOrMake(path, mode);
    folder.release();
    this.claim(path);
    return isNew;
  }

  /** Take from the folder at `path`, made for a source with this `mode`, what its owner needed. @throws as open() */
  finish(path: string, mode: number): void {
    const folder = this.open(path);
    try {
      const place = folder.at(".");
      const stats = fs.statSync(place);
      if (!isWider(stats, folderMode(mode))) fs.chmodSync(place, stats.mode & mode);
    } finally {
      folder.release();
    }
  }

  /** A file has come into the folder at `path`, or is going to: it is not unmade any more. */
  claim(path: string): void {
    this.#made.claim(path);
  }

  /** The file at `path` does not come: remove the folders that makeHolder() made for it, as far as they are empty. */
  unmake(path: string): void {
    this.#made.undo(path, (made) => {
      try {
        const { folder, name } = this.holder(made);
        try {
          fs.rmdirSync(folder.at(name));
        } finally {
          folder.release();
        }
        this.forget();
        return true;
      } catch {
        return false; // something is in it
      }
    });
  }

  /** True while `folder` is what is at `path`. */
  isAt(path: string, folder: OpenFolder): boolean {
    return folder.isAt(this.#placeOf(path));
  }

  /** The folder that holds `path`, and its name there; the caller releases the folder. @throws as open(); ENAMETOOLONG */
  holder(path: string): { folder: OpenFolder; name: string } {
    requireNames(path);
    this.#requireShort(path);
    return { folder: this.open(parentOf(path)), name: baseName(path) };
  }

  /** As holder(), the folder made where it is missing. @throws as make(); ENAMETOOLONG, and then nothing is made */
  makeHolder(path: string): { folder: OpenFolder; name: string } {
    requireNames(path);
    this.#requireShort(path);
    return { folder: this.make(parentOf(path)), name: baseName(path) };
  }

  /**
   * By a folder that is held open the system would take a name in it, however long the path is: then some methods had what
   * others have not.
   *
   * @throws the system's ENAMETOOLONG when it takes no such path
   */
  #requireShort(path: string): void {
    if (this.root.length + path.length <= SURELY_SHORT) return;
    try {
      fs.lstatSync(this.#placeOf(path), { throwIfNoEntry: false });
    } catch (cause) {
      if (errnoOf(cause) === "ENAMETOOLONG") throw cause;
    }
  }

  /** False for a path that the system does not take. */
  isShort(path: string): boolean {
    try {
      this.#requireShort(path);
      return true;
    } catch {
      return false;
    }
  }

  /** Let go of what was kept: a folder was renamed or removed. */
  forget(): void {
    for (const { folder } of this.#kept.values()) folder.release();
    this.#kept.clear();
  }

  /** Where the names of `path` lead, nothing having been looked at. */
  #placeOf(path: string): string {
    return join(this.root, ...path.split("/").map((name) => toLocalName(name)));
  }

  /** Do `work` with where `path` leads. @throws as resolve() */
  #reach<T>(path: string, work: (place: string) => T): T {
    requireNames(path);
    try {
      return work(this.#placeOf(path));
    } catch (cause) {
      if (cause instanceof StorageError) throw cause;
      // What is missing behind a link that leads out must not be told from what is there.
      const above = this.#nearest(path);
      this.requireBelow(above.path, above.real);
      throw cause;
    }
  }

  /** What there is on the way to `path` that is nearest to it, and its real path. */
  #nearest(path: string): { path: string; real: string } {
    for (let above = parentOf(path); above !== ""; above = parentOf(above)) {
      try {
        return { path: above, real: fs.realpathSync.native(this.#placeOf(above)) };
      } catch {
        // nor is that there
      }
    }
    return { path: "", real: this.root };
  }

  #openOrMake(path: string, mode: number): { folder: OpenFolder; isNew: boolean } {
    try {
      return { folder: this.open(path), isNew: false };
    } catch (cause) {
      // A file, or a link that leads to itself.
      if (["ENOTDIR", "ELOOP"].includes(errnoOf(cause))) throw noFolder(path, cause);
      if (errnoOf(cause) !== "ENOENT" || path === "") throw cause;
    }
    let made = this.#nearest(path).path;
    let folder = this.open(made);
    while (made !== path) {
      const below = path.indexOf("/", made === "" ? 0 : made.length + 1);
      made = below < 0 ? path : path.slice(0, below);
      folder = this.#makeIn(folder, made, made === path ? mode : folderMode(undefined));
    }
    return { folder, isNew: true };
  }

  /** Make `path` in the open folder that holds it, which is released; the open folder. @throws as open() */
  #makeIn(holder: OpenFolder, path: string, mode: number): OpenFolder {
    let isThere = false;
    try {
      fs.mkdirSync(holder.at(baseName(path)), mode);
      this.#made.add(path);
    } catch (cause) {
      if (errnoOf(cause) !== "EEXIST") throw cause;
      isThere = true;
    } finally {
      holder.release();
    }
    try {
      return this.open(path);
    } catch (cause) {
      // Not somebody who was quicker, but a link that leads nowhere.
      if (isThere && errnoOf(cause) === "ENOENT") throw noFolder(path, cause);
      throw cause;
    }
  }

  #keep(path: string, folder: OpenFolder): void {
    if (this.#kept.size === 0) this.#scheduleForget();
    this.#kept.set(path, { folder, until: performance.now() + REUSE_MS });
    if (this.#kept.size <= MAX_KEPT) return;
    const [oldest, { folder: first }] = this.#kept.entries().next().value as [string, { folder: OpenFolder }];
    this.#kept.delete(oldest);
    first.release();
  }

  /** An open folder can't be unmounted: none is kept while nothing happens. */
  #scheduleForget(): void {
    setTimeout(() => {
      const now = performance.now();
      for (const [path, { folder, until }] of this.#kept) {
        if (until > now) continue;
        this.#kept.delete(path);
        folder.release();
      }
      if (this.#kept.size > 0) this.#scheduleForget();
    }, 10 * REUSE_MS).unref();
  }
}

function noFolder(path: string, cause: unknown): StorageError {
  return new StorageError("EXISTS", `${quote(path)} is not a folder.`, { cause });
}

/**
 * Paths are checked where they come in (lib/path.ts). One that was not leads nowhere else all the same.
 *
 * @throws StorageError BAD_PATH for what is no name, NOT_ALLOWED for the names that unfinished files have
 */
function requireNames(path: string): void {
  if (path !== "" && STRAY.test(path)) throw new StorageError("BAD_PATH", `${quote(path)} is not a path.`);
  if (isWithinUnfinished(path)) {
    throw new StorageError("NOT_ALLOWED", `${quote(path)} is the name of an unfinished file.`);
  }
}
