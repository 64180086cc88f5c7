import type { StorageError } from "../../errors.ts";
import type { Owner } from "../../storage-faults.ts";
import { writeError } from "../disk-error.ts";
import { checkSize, type ExistsPolicy, type FileFacts, type PartFile } from "../storage.ts";
import { FileHome } from "./file-home.ts";
import { FolderMaker } from "./folder-maker.ts";
import type { Folders } from "./folders.ts";
import { LocalPart } from "./local-part.ts";
import { explainName, nameFault, requireKeptEnds } from "./names/held-names.ts";
import { isLongName } from "./names/part-names.ts";
import { renameLocal } from "./rename-local.ts";
import { folderMode } from "./rights.ts";
import { storeSmall } from "./store-small.ts";

/** Stores files and folders in a tree, and explains when the disk can't hold a name. */
export class TreeMaker {
  readonly #folders: Folders;
  readonly #made: FolderMaker;
  readonly #owner: Owner;

  /** `above`: of the tree that this one is a folder of, at `path`. */
  constructor(folders: Folders, owner: Owner, above?: { readonly maker: TreeMaker; readonly path: string }) {
    this.#folders = folders;
    this.#made = new FolderMaker(folders, above && { maker: above.maker.#made, path: above.path });
    this.#owner = owner;
  }

  /**
   * As Storage.rename(), before the names are checked against each other.
   *
   * @throws StorageError EXISTS, NOT_ALLOWED, BAD_PATH; the system's error
   */
  async rename(from: string, to: string, replaces: boolean): Promise<void> {
    requireKeptEnds(this.#folders, to);
    await renameLocal(this.#folders, this.#made, { from, to, replaces });
  }

  /**
   * Take the file or link at `from` out of the tree of `source`, on the same disk, and replace a file or link at `to`.
   *
   * @throws StorageError EXISTS, NOT_ALLOWED, BAD_PATH; the system's error
   */
  async adopt(source: Folders, from: string, to: string): Promise<void> {
    requireKeptEnds(this.#folders, to);
    await renameLocal(this.#folders, this.#made, { from, to, replaces: true, source });
  }

  async receive(path: string, facts: FileFacts, exists: ExistsPolicy): Promise<PartFile> {
    checkSize(path, facts);
    try {
      const home = this.#homeOf(path);
      try {
        this.#folders.guard.requireReplaceable(path, home);
      } catch (cause) {
        home.release(false);
        throw cause;
      }
      const part = await LocalPart.open({ home, facts, exists });
      return isLongName(home.name) ? await this.#withHeldName(part) : part;
    } catch (cause) {
      throw this.faultAt(path, cause);
    }
  }

  store(path: string, facts: FileFacts, exists: ExistsPolicy, bytes: Uint8Array): string | Promise<string> {
    const home = this.#homeOf(path);
    const done = (name: string) => {
      home.release(true);
      return home.pathOf(name);
    };
    const fail = (cause: unknown): never => {
      home.release(false);
      throw this.faultAt(path, cause);
    };
    let stored: string | Promise<string>;
    try {
      stored = storeSmall(home, bytes, facts, exists);
    } catch (cause) {
      return fail(cause);
    }
    return typeof stored === "string" ? done(stored) : stored.then(done, fail);
  }

  /** @throws StorageError as receive() */
  #homeOf(path: string): FileHome {
    try {
      requireKeptEnds(this.#folders, path);
      return new FileHome(this.#folders, this.#made, path, this.#owner);
    } catch (cause) {
      throw this.faultAt(path, cause);
    }
  }

  /** The part has another name, so only a trial tells whether the disk holds this one. @throws StorageError BAD_PATH */
  async #withHeldName(part: PartFile): Promise<PartFile> {
    const fault = nameFault(this.#folders, part.path);
    if (fault === undefined) return part;
    await part.discard();
    throw fault;
  }

  /** The fault for a system error while something is created at `path`. */
  faultAt(path: string, cause: unknown): StorageError {
    return explainName(this.#folders, path, cause) ?? writeError(cause, path, this.#owner);
  }

  makeFolder(path: string, mode?: number): boolean {
    try {
      requireKeptEnds(this.#folders, path);
      return this.#made.ensure(path, folderMode(mode));
    } catch (cause) {
      throw this.faultAt(path, cause);
    }
  }

  finishFolder(path: string, mode: number): void {
    try {
      this.#made.finish(path, mode);
    } catch (cause) {
      throw writeError(cause, path, this.#owner);
    }
  }
}
