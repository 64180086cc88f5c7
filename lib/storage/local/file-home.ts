import { parentOf } from "../../path.ts";
import type { Owner } from "../../storage-faults.ts";
import { storageFault } from "../../storage-faults.ts";
import type { FolderMaker } from "./folder-maker.ts";
import type { Folders } from "./folders.ts";
import type { Losses } from "./losses.ts";
import type { OpenFolder } from "./open-folder.ts";

/** The folder of an incoming file, held open from its first byte to its last, and the file's name there. */
export class FileHome {
  readonly path: string;
  readonly folder: OpenFolder;
  readonly name: string;
  readonly owner: Owner;
  readonly #folders: Folders;
  readonly #made: FolderMaker;

  /** Creates the folder if it is missing. @throws as FolderMaker.makeHolder() */
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
   * Checks that the folder is still at its path. Otherwise the file would be reported at a path where it is not.
   *
   * @throws StorageError NOT_FOUND, for a user NO_SUCH_FILE
   */
  requireHere(): void {
    if (this.#folders.isAt(parentOf(this.path), this.folder)) return;
    throw storageFault.holderLeft(this.path, this.owner === "server" ? "NOT_FOUND" : "NO_SUCH_FILE");
  }

  /**
   * Make all names in the folder durable, and, if the folder is new, its own name and those above it.
   *
   * @throws the system's error
   */
  async sync(): Promise<void> {
    await this.folder.sync();
    await this.#made.settled(parentOf(this.path));
  }

  /** What its disk does not keep of the file's facts. */
  get losses(): Losses {
    return this.#folders.memory.losses;
  }

  /** The path of `name` in this folder. */
  pathOf(name: string): string {
    return name === this.name ? this.path : this.path.slice(0, this.path.length - this.name.length) + name;
  }

  /**
   * Release the folder. Unless something of the file is left in it, the folders that were created for the file are
   * removed.
   */
  release(isLeft: boolean): void {
    this.folder.release();
    if (isLeft) this.#made.claim(parentOf(this.path));
    else this.#made.unmake(this.path);
  }
}
