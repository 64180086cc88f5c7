import fs from "node:fs";
import { errnoOf } from "../../errno.ts";
import { baseName, parentOf } from "../../path.ts";
import { storageFault } from "../../storage-faults.ts";
import { ProvisionalFolders } from "../provisional-folders.ts";
import type { Folders } from "./folders.ts";
import { requireNames } from "./names/tree-names.ts";
import { NewNames } from "./new-names.ts";
import type { Held, OpenFolder } from "./open-folder.ts";
import { folderMode, isWider } from "./rights.ts";

/** Makes folders of a tree, and removes again what it made for a file that does not come. */
export class FolderMaker {
  readonly #folders: Folders;
  readonly #made = new ProvisionalFolders();
  readonly #names = new NewNames();

  constructor(folders: Folders) {
    this.#folders = folders;
  }

  /** As Folders.open(), made where it is missing. @throws as open(), StorageError EXISTS when a file is in the way */
  make(path: string): OpenFolder {
    return this.#openOrMake(path, folderMode(undefined)).folder;
  }

  /**
   * Make the folder at `path`, with what the umask leaves of `mode`.
   *
   * @returns false when it was there
   * @throws as make()
   */
  ensure(path: string, mode: number): boolean {
    const { folder, isNew } = this.#orUnmake(path, () => this.#openOrMake(path, mode));
    folder.release();
    this.claim(path);
    return isNew;
  }

  /** Take from the folder at `path`, made for a source with this `mode`, what its owner needed. @throws as open() */
  finish(path: string, mode: number): void {
    const folder = this.#folders.open(path);
    try {
      const place = folder.at(".");
      const stats = fs.statSync(place);
      if (isWider(stats, folderMode(mode))) return;
      this.#folders.losses.try("rights", () => fs.chmodSync(place, stats.mode & mode));
    } finally {
      folder.release();
    }
  }

  /** As NewNames.settled(), of the folders that were made here. */
  settled(path: string): Promise<void> | undefined {
    return this.#names.settled(path);
  }

  /** A file has come into the folder at `path`, or will: unmake() does not remove it any more. */
  claim(path: string): void {
    this.#made.claim(path);
  }

  /** The file at `path` does not come: remove the folders that makeHolder() made for it, as far as they are empty. */
  unmake(path: string): void {
    this.#made.undo(path, (made) => {
      try {
        const { folder, name } = this.#folders.holder(made);
        try {
          fs.rmdirSync(folder.at(name));
        } finally {
          folder.release();
        }
        this.#folders.forget();
        return true;
      } catch {
        return false; // something is in it
      }
    });
  }

  /** As changeable(), the folder made where it is missing. @throws as make(); ENAMETOOLONG, and then nothing is made */
  makeHolder(path: string): Held {
    requireNames(path);
    return this.#orUnmake(path, () => {
      this.#folders.requireShort(path);
      const held = { folder: this.make(parentOf(path)), name: baseName(path) };
      return this.#folders.guard.admit(path, held, ["private", "way", "alike"]);
    });
  }

  /** Do `work`, which makes folders above `path`; they are removed when it fails. */
  #orUnmake<T>(path: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.unmake(path);
      throw error;
    }
  }

  #openOrMake(path: string, mode: number): { folder: OpenFolder; isNew: boolean } {
    try {
      return { folder: this.#folders.open(path), isNew: false };
    } catch (cause) {
      // A file, or a link that leads to itself.
      if (["ENOTDIR", "ELOOP"].includes(errnoOf(cause))) throw storageFault.noFolder(path, cause);
      if (errnoOf(cause) !== "ENOENT" || path === "") throw cause;
    }
    let made = this.#folders.nearestPath(path);
    let folder = this.#folders.open(made);
    while (made !== path) {
      const below = path.indexOf("/", made === "" ? 0 : made.length + 1);
      made = below < 0 ? path : path.slice(0, below);
      const holder = this.#folders.guard.admit(path, { folder, name: baseName(made) }, ["private", "alike"]);
      folder = this.#makeIn(holder, made, made === path ? mode : folderMode(undefined));
    }
    return { folder, isNew: true };
  }

  /** Make `path` in the open folder that holds it, which is released; the open folder. @throws as open() */
  #makeIn({ folder, name }: Held, path: string, mode: number): OpenFolder {
    try {
      if (!makeNew(folder.at(name), mode)) return this.#openThere(path);
      this.#made.add(path);
      this.#names.add(path, folder);
      this.#folders.guard.noteNew(folder);
      return this.#folders.keep(path, this.#folders.openIn(folder, name, path));
    } finally {
      folder.release();
    }
  }

  /**
   * Open what was already there: a folder that somebody else made first. A link that leads nowhere is an error.
   *
   * @throws as make()
   */
  #openThere(path: string): OpenFolder {
    try {
      return this.#folders.open(path);
    } catch (cause) {
      throw errnoOf(cause) === "ENOENT" ? storageFault.noFolder(path, cause) : cause;
    }
  }
}

/** @returns false when something is there @throws the system's error */
function makeNew(place: string, mode: number): boolean {
  try {
    fs.mkdirSync(place, mode);
    return true;
  } catch (cause) {
    if (errnoOf(cause) === "EEXIST") return false;
    throw cause;
  }
}
