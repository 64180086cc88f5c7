import { parentOf } from "../../path.ts";
import { storageFault } from "../../storage-faults.ts";
import type { Owner } from "../disk-error.ts";
import type { FolderMaker } from "./folder-maker.ts";
import type { Folders } from "./folders.ts";
import type { Losses } from "./losses.ts";
import type { OpenFolder } from "./open-folder.ts";

/** The folder that a file comes into, and the file's name there, from its beginning to its end. */
export class FileHome {
  readonly path: string;
  readonly folder: OpenFolder;
  readonly name: string;
  readonly owner: Owner;
  readonly #folders: Folders;
  readonly #made: FolderMaker;

  /** The folder is made where it is missing. @throws as FolderMaker.makeHolder() */
  constructor(folders: Folders, made: FolderMaker, path: string, owner: Owner) {
    const { folder, name } = made.makeHolder(path);
    this.path = path;
    this.folder = folder;
    this.name = name;
    this.#folders = folders;
    this.#made = made;
    this.owner = owner;
  }

  /**
   * Checks that the folder is still at its path: otherwise a file in it would be reported where it is not.
   *
   * @throws StorageError NOT_FOUND, for a user NO_SUCH_FILE
   */
  requireHere(): void {
    if (this.#folders.isAt(parentOf(this.path), this.folder)) return;
    throw storageFault.holderLeft(this.path, this.owner === "server" ? "NOT_FOUND" : "NO_SUCH_FILE");
  }

  /**
   * Make all names in the folder durable, and the folder's own if it is new, with those above it.
   *
   * @throws the system's error
   */
  async sync(): Promise<void> {
    await this.folder.sync();
    await this.#made.settled(parentOf(this.path));
  }

  /** What its disk does not keep of it. */
  get losses(): Losses {
    return this.#folders.losses;
  }

  /** The path of `name` in this folder. */
  pathOf(name: string): string {
    return name === this.name ? this.path : this.path.slice(0, this.path.length - this.name.length) + name;
  }

  /**
   * Release the folder. When nothing of the file is left in it, the folders that were made for the file are removed.
   */
  release(isLeft: boolean): void {
    this.folder.release();
    if (isLeft) this.#made.claim(parentOf(this.path));
    else this.#made.unmake(this.path);
  }
}
