/*
 * How the parts work together
 *
 *   LocalStorage ─┬─ TreeReader   stat, list, open, load, place: changes nothing
 *                 ├─ TreeMaker    receive, store, makeFolder, rename: what comes in, and under which name
 *                 ├─ removeLocal(), findUnfinished()
 *                 └─ FolderWatch  (watch/) reports what changes
 *
 * All of them reach the disk through one Folders: it turns a path into a folder that is held open (OpenFolder) and a
 * name in it (together: Held). Whatever is swapped on the way afterwards, the name means that very folder. Folders asks
 * TreeRoot whether the folder lies inside the tree, and PrivateGuard (private/) whether it or the name is CommServer's
 * own; both check the folder that was opened, not its path. FolderMaker makes folders, and removes them again with the
 * file for which it made them.
 *
 * An incoming file has a FileHome: its folder, held open from the first byte to the last. A small file is written in
 * one go (storeSmall). A larger one is a LocalPart: a part beside the file's place, a Journal of the blocks that are
 * there, and a JournalLock (locks/) against other transfers. Both end in publish(), the only place where a file gets its
 * name. takeRights() and Losses keep those rights and times that the disk can keep.
 *
 * names/: what a name is here (mapped on Windows, refused by the disk, of an unfinished file). disk-error.ts
 * makes faults of the system's errors, where they leave TreeReader, TreeMaker or a LocalPart.
 */

import { errnoOf } from "../../errno.ts";
import { StorageError } from "../../errors.ts";
import type { Owner } from "../../storage-faults.ts";
import { storageFault } from "../../storage-faults.ts";
import { readError } from "../disk-error.ts";
import type {
  ExistsPolicy,
  FileFacts,
  ListOptions,
  LoadedFile,
  OpenFile,
  PartFile,
  Placement,
  RemoveOptions,
  Storage,
  StorageChange,
  StorageEntry,
  Unfinished,
} from "../storage.ts";
import { Folders } from "./folders.ts";
import { freeBytes } from "./free-space.ts";
import { lookIn } from "./local-list.ts";
import type { GuardOptions } from "./private/private-guard.ts";
import { realPath } from "./real-path.ts";
import { removeLocal } from "./remove-local.ts";
import { repositoryError, requireRepository } from "./served-folder.ts";
import { TreeMaker } from "./tree-maker.ts";
import { TreeReader } from "./tree-reader.ts";
import { findUnfinished, removeUnfinishedAt } from "./unfinished-parts.ts";
import { FolderWatch } from "./watch/folder-watch.ts";

export interface LocalStorageOptions extends Omit<GuardOptions, "owner"> {
  /** Called with a message for the operator when something is wrong with the folder. */
  onNotice?(message: string): void;
}

/** A folder of this machine. */
export class LocalStorage implements Storage {
  readonly capabilities = { watch: true, atomicRename: true, emptyFolders: true };
  readonly #folders: Folders;
  readonly #reader: TreeReader;
  readonly #maker: TreeMaker;
  readonly #watch: FolderWatch;
  readonly #owner: Owner;
  readonly #options: LocalStorageOptions;

  /** `above`: the tree that `root` is a path in. */
  private constructor(root: string, owner: Owner, options: LocalStorageOptions, above?: LocalStorage) {
    this.#owner = owner;
    this.#options = options;
    const folders = new Folders(root, { ...options, owner, ...(above && { above: above.#folders }) });
    this.#folders = folders;
    this.#reader = new TreeReader(folders, owner);
    this.#maker = new TreeMaker(folders, owner, above && { maker: above.#maker, path: root });
    this.#watch = new FolderWatch({
      folders,
      look: (folder, path) => lookIn(folders, folder, path),
      onNotice: (message) => options.onNotice?.(message),
    });
  }

  /**
   * The tree below the folder `path` as a storage of its own: nothing leads out of it, and no fault tells of the rest.
   * While no folder is there, all calls report UNREADABLE.
   */
  within(path: string): LocalStorage {
    const { onNotice: _, ...options } = this.#options;
    return new LocalStorage(path, this.#owner, options, this);
  }

  get location(): string {
    return this.#folders.root;
  }

  freeBytes(): number {
    try {
      return freeBytes(this.location);
    } catch {
      return Number.POSITIVE_INFINITY; // nothing is there: the next write reports that
    }
  }

  /**
   * @throws StorageError NO_REPOSITORY when there is no such folder, REPOSITORY_DENIED when it can't be read, OWN_STATE
   * when it is a private place, or lies in one
   */
  static async at(folder: string, options: LocalStorageOptions = {}): Promise<LocalStorage> {
    try {
      await requireRepository(folder);
      const storage = new LocalStorage(folder, "server", options);
      storage.#requirePublic("repository", folder);
      return storage;
    } catch (cause) {
      throw repositoryError(cause, folder);
    }
  }

  /**
   * An existing folder of this program's user.
   *
   * @throws StorageError NO_SUCH_FILE, DISK_DENIED, DISK_FAILED, OWN_STATE as at()
   */
  static async ofUser(folder: string, options: LocalStorageOptions = {}): Promise<LocalStorage> {
    try {
      const storage = new LocalStorage(realPath(folder), "user", options);
      storage.#requirePublic("folder", folder);
      return storage;
    } catch (cause) {
      throw readError(cause, folder, "user");
    }
  }

  /** Report the facts of files that its disk does not keep, each kind once. */
  tellLosses(listener: (message: string) => void): void {
    this.#folders.memory.losses.onLoss = listener;
  }

  stat(path: string): Promise<StorageEntry> {
    return this.#reader.stat(path);
  }

  list(path: string, options: ListOptions): AsyncIterable<StorageEntry[]> {
    return this.#reader.list(path, options);
  }

  open(path: string): Promise<OpenFile> {
    return this.#reader.open(path);
  }

  load(path: string, limit: number): LoadedFile | undefined {
    return this.#reader.load(path, limit);
  }

  place(
    path: string,
    facts: Pick<FileFacts, "size" | "modifiedAt">,
    exists: ExistsPolicy,
    isAnothers?: boolean,
  ): Promise<Placement> {
    return this.#reader.place(path, facts, exists, isAnothers);
  }

  hasOwnName(path: string): Promise<boolean> {
    return this.#reader.hasOwnName(path);
  }

  receive(path: string, facts: FileFacts, exists: ExistsPolicy): Promise<PartFile> {
    return this.#maker.receive(path, facts, exists);
  }

  store(path: string, facts: FileFacts, exists: ExistsPolicy, bytes: Uint8Array): string | Promise<string> {
    return this.#maker.store(path, facts, exists, bytes);
  }

  async makeFolder(path: string, mode?: number): Promise<boolean> {
    return this.#maker.makeFolder(path, mode);
  }

  async finishFolder(path: string, mode: number): Promise<void> {
    this.#maker.finishFolder(path, mode);
  }

  remove(path: string, options: RemoveOptions): Promise<void> {
    return removeLocal(this.#folders, path, options, this.#owner);
  }

  async rename(from: string, to: string, options: { overwrite: boolean }): Promise<void> {
    const source = await this.stat(from);
    if (to === from) return;
    if (to.startsWith(`${from}/`)) {
      throw storageFault.intoItself(from, to);
    }
    try {
      await this.#maker.rename(from, to, options.overwrite && source.kind === "file");
    } catch (cause) {
      // If the source was removed or renamed since the check, stat() says so.
      if (["ENOENT", "ENOTDIR"].includes(errnoOf(cause))) await this.stat(from);
      throw this.#maker.faultAt(to, cause);
    }
  }

  /**
   * Move the file or link at `from` to `to` in another folder on the same disk, where it replaces a file or a link.
   *
   * @throws StorageError NO_SUCH_FILE; as rename()
   */
  async moveTo(other: LocalStorage, from: string, to: string): Promise<void> {
    try {
      await other.#maker.adopt(this.#folders, from, to);
    } catch (cause) {
      if (["ENOENT", "ENOTDIR"].includes(errnoOf(cause))) throw readError(cause, from, this.#owner);
      throw other.#maker.faultAt(to, cause);
    }
  }

  async watch(listener: (changes: readonly StorageChange[]) => void): Promise<() => void> {
    try {
      return await this.#watch.subscribe(listener);
    } catch (cause) {
      if (cause instanceof StorageError) throw cause;
      throw storageFault.watchFailed(cause);
    }
  }

  unfinished(): AsyncIterable<Unfinished> {
    return findUnfinished(this.#folders);
  }

  async removeUnfinished(path: string): Promise<boolean> {
    return removeUnfinishedAt(this.#folders, path, this.#owner);
  }

  /** The private places in it now, as paths of this machine. */
  get privateBelow(): string[] {
    return this.#folders.guard.below(this.location);
  }

  /** @throws StorageError OWN_STATE when all of it is private; `folder` is the path as it was given */
  #requirePublic(what: "repository" | "folder", folder: string): void {
    try {
      this.#folders.open("").release();
    } catch (cause) {
      if (!(cause instanceof StorageError)) throw cause;
      throw storageFault.ownFolder(folder, what, cause);
    }
  }
}
