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

/** The tree that a tree is a folder of. */
interface Above {
  readonly maker: FolderMaker;
  /** Of the folder. */
  readonly path: string;
}

/** Creates folders in a tree, and removes those that it created for a file that does not arrive. */
export class FolderMaker {
  readonly #folders: Folders;
  readonly #made = new ProvisionalFolders();
  readonly #names = new NewNames();
  readonly #above: Above | undefined;

  /** `above`: creates the folder that is this tree. */
  constructor(folders: Folders, above?: Above) {
    this.#folders = folders;
    this.#above = above;
  }

  /** As Folders.open(), or creates the folder. @throws as open(), StorageError EXISTS when a file is in the way */
  make(path: string): OpenFolder {
    return this.#openOrMake(path, folderMode(undefined)).folder;
  }

  /**
   * Create the folder at `path`, with `mode` less the umask.
   *
   * @returns false when it existed
   * @throws as make()
   */
  ensure(path: string, mode: number): boolean {
    const { folder, isNew } = this.#orUnmake(path, () => this.#openOrMake(path, mode));
    folder.release();
    this.claim(path);
    return isNew;
  }

  /**
   * Reduce the permissions of the folder at `path`, which its owner needed to fill it, to `mode`, those of its source.
   * @throws as open()
   */
  finish(path: string, mode: number): void {
    const folder = this.#folders.open(path);
    try {
      const place = folder.at(".");
      const stats = fs.statSync(place);
      if (isWider(stats, folderMode(mode))) return;
      this.#folders.memory.losses.try("rights", () => fs.chmodSync(place, stats.mode & mode));
    } finally {
      folder.release();
    }
  }

  /** As NewNames.settled(), for the folders created here, and for those above the tree. */
  settled(path: string): Promise<void> | undefined {
    const above = this.#above?.maker.settled(this.#above.path);
    const own = this.#names.settled(path);
    return above === undefined || own === undefined ? (own ?? above) : Promise.all([above, own]).then(() => {});
  }

  /** A file has been stored in the folder at `path`, or will be: unmake() must not remove it any more. */
  claim(path: string): void {
    this.#made.claim(path);
  }

  /** The file at `path` does not arrive: remove the empty folders that makeHolder() created for it. */
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

  /** As changeable(), but creates a missing folder. @throws as make(); ENAMETOOLONG before anything is created */
  makeHolder(path: string): Held {
    requireNames(path);
    return this.#orUnmake(path, () => {
      this.#folders.tree.requireShort(path);
      const held = { folder: this.make(parentOf(path)), name: baseName(path) };
      return this.#folders.guard.admit(path, held, ["private", "way", "alike"]);
    });
  }

  /** Do `work`, which creates folders above `path`; remove them if it fails. */
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

  /** Create `path` in the open folder that holds it, which is released; returns it open. @throws as open() */
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
   * Open a folder that was there already, or that somebody else has just created. A link that leads nowhere is an
   * error.
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
