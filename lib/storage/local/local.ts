import fs from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { CommError, StorageError } from "../../errors.ts";
import { baseName, parentOf } from "../../path.ts";
import { quote } from "../../quote.ts";
import { errnoOf, type Owner, readError, writeError } from "../disk-error.ts";
import {
  checkSize,
  type ExistsPolicy,
  type FileFacts,
  isSmall,
  type ListOptions,
  type LoadedFile,
  type OpenFile,
  type PartFile,
  type Placement,
  type RemoveOptions,
  type Storage,
  type StorageChange,
  type StorageEntry,
  type Unfinished,
} from "../storage.ts";
import { FileHome } from "./file-home.ts";
import { Folders } from "./folders.ts";
import { freeBytes } from "./free-space.ts";
import { entryOf, loadSmall } from "./local-file.ts";
import { listFolder, lookIn } from "./local-list.ts";
import { LocalPart } from "./local-part.ts";
import { explainName, nameFault, requireKeptEnds } from "./names/held-names.ts";
import { hasOwnName } from "./names/own-name.ts";
import { isLongName } from "./names/part-names.ts";
import { openLocal, withLastingEtag } from "./open-local.ts";
import { placementOf } from "./placement.ts";
import type { GuardOptions } from "./private/private-guard.ts";
import { removeLocal } from "./remove-local.ts";
import { renameLocal } from "./rename-local.ts";
import { folderMode } from "./rights.ts";
import { storeSmall } from "./store-small.ts";
import { findUnfinished, removeUnfinished } from "./unfinished-parts.ts";
import { FolderWatch } from "./watch/folder-watch.ts";

export interface LocalStorageOptions extends Omit<GuardOptions, "owner"> {
  /** Told in words for the operator what is the matter with the folder, once each time. */
  onNotice?(message: string): void;
}

/** A folder of this machine. */
export class LocalStorage implements Storage {
  readonly #folders: Folders;
  readonly #watch: FolderWatch;

  readonly #owner: Owner;

  private constructor(root: string, owner: Owner, options: LocalStorageOptions) {
    this.#owner = owner;
    this.#folders = new Folders(root, { ...options, owner });
    const folders = this.#folders;
    this.#watch = new FolderWatch({
      folders,
      look: (folder, path) => lookIn(folders, folder, path),
      onNotice: (message) => options.onNotice?.(message),
    });
  }

  get location(): string {
    return this.#folders.root;
  }

  readonly capabilities = { watch: true, atomicRename: true, emptyFolders: true };

  freeBytes(): number {
    try {
      return freeBytes(this.location);
    } catch {
      return Number.POSITIVE_INFINITY; // nothing is there: whoever writes is told so
    }
  }

  /**
   * @throws StorageError NO_REPOSITORY when there is no such folder, REPOSITORY_DENIED when it can't be read, OWN_STATE
   * when it is a private place, or lies in one
   */
  static async at(folder: string, options: LocalStorageOptions = {}): Promise<LocalStorage> {
    try {
      const root = await realpath(folder);
      if (!(await stat(root)).isDirectory()) {
        throw new StorageError("NO_REPOSITORY", `The repository ${quote(folder)} is not a folder.`);
      }
      fs.accessSync(root, fs.constants.R_OK | fs.constants.X_OK);
      const storage = new LocalStorage(folder, "server", options);
      storage.#requirePublic(`The repository ${quote(folder)}`);
      return storage;
    } catch (cause) {
      if (cause instanceof StorageError) throw cause;
      if (errnoOf(cause) === "EACCES") {
        throw new StorageError("REPOSITORY_DENIED", `No permission to read the repository folder ${quote(folder)}.`, {
          cause,
        });
      }
      throw new StorageError("NO_REPOSITORY", `The repository folder ${quote(folder)} does not exist.`, { cause });
    }
  }

  /**
   * A folder of the user of this program, which exists.
   *
   * @throws StorageError NO_SUCH_FILE, DISK_DENIED, DISK_FAILED, OWN_STATE as at()
   */
  static async ofUser(folder: string, options: LocalStorageOptions = {}): Promise<LocalStorage> {
    try {
      const storage = new LocalStorage(await realpath(folder), "user", options);
      storage.#requirePublic(`The folder ${quote(folder)}`);
      return storage;
    } catch (cause) {
      throw readError(cause, quote(folder), "user");
    }
  }

  /** Tell what its disk does not take of files besides their bytes, each kind once. */
  tellLosses(listener: (message: string) => void): void {
    this.#folders.losses.onLoss = listener;
  }

  async stat(path: string): Promise<StorageEntry> {
    try {
      const stats = this.#folders.look(path);
      const entry = entryOf(path, stats);
      return stats.isFile() && !isSmall(entry) ? withLastingEtag(this.#folders, entry, this.#owner) : entry;
    } catch (cause) {
      throw readError(cause, quote(path), this.#owner);
    }
  }

  async *list(path: string, options: ListOptions): AsyncGenerator<StorageEntry[], void> {
    if ((await this.stat(path)).kind !== "folder") {
      throw new StorageError("NOT_FOUND", `${quote(path)} is not a folder.`);
    }
    try {
      yield* listFolder(this.#folders, path, options);
    } catch (cause) {
      throw readError(cause, quote(path), this.#owner);
    }
  }

  async open(path: string): Promise<OpenFile> {
    try {
      return openLocal(this.#folders, path, this.#owner);
    } catch (cause) {
      throw readError(cause, quote(path), this.#owner);
    }
  }

  load(path: string, limit: number): LoadedFile | undefined {
    try {
      const held = this.#folders.holder(path);
      const { folder, name } = held;
      try {
        return loadSmall(path, folder.at(name), limit, (opened) =>
          this.#folders.guard.requirePublic(path, opened, held),
        );
      } finally {
        folder.release();
      }
    } catch (cause) {
      throw readError(cause, quote(path), this.#owner);
    }
  }

  async place(
    path: string,
    facts: Pick<FileFacts, "size" | "modifiedAt">,
    exists: ExistsPolicy,
    isAnothers = false,
  ): Promise<Placement> {
    try {
      const placement = placementOf(this.#folders, path, facts, exists, isAnothers);
      if (placement.outcome === "vacant") checkSize(path, facts);
      return placement;
    } catch (cause) {
      throw readError(cause, quote(path), this.#owner);
    }
  }

  async hasOwnName(path: string): Promise<boolean> {
    try {
      return hasOwnName(this.#folders, path);
    } catch (cause) {
      throw readError(cause, quote(path), this.#owner);
    }
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
      throw this.#writeError(cause, path);
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
      throw this.#writeError(cause, path);
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
      return new FileHome(this.#folders, path, this.#owner);
    } catch (cause) {
      throw this.#writeError(cause, path);
    }
  }

  /** Its part has another name than the file will have, so that only a trial tells. @throws StorageError BAD_PATH */
  async #withHeldName(part: PartFile): Promise<PartFile> {
    const fault = nameFault(this.#folders, part.path);
    if (fault === undefined) return part;
    await part.discard();
    throw fault;
  }

  /** A system error while something is made at `path`. */
  #writeError(cause: unknown, path: string): StorageError {
    return explainName(this.#folders, path, cause) ?? writeError(cause, quote(path), this.#owner);
  }

  async makeFolder(path: string, mode?: number): Promise<boolean> {
    try {
      requireKeptEnds(this.#folders, path);
      return this.#folders.ensure(path, folderMode(mode));
    } catch (cause) {
      throw this.#writeError(cause, path);
    }
  }

  async finishFolder(path: string, mode: number): Promise<void> {
    try {
      this.#folders.finish(path, mode);
    } catch (cause) {
      throw writeError(cause, quote(path), this.#owner);
    }
  }

  async remove(path: string, options: RemoveOptions): Promise<void> {
    if (path === "") throw new StorageError("NOT_ALLOWED", "The repository itself can't be removed.");
    try {
      await removeLocal(this.#folders, path, options);
    } catch (cause) {
      if (options.signal?.aborted) throw new CommError("INTERRUPTED", `The removal of ${quote(path)} was left.`);
      if (["ENOTEMPTY", "EEXIST"].includes(errnoOf(cause)) && !options.recursive) {
        throw new StorageError("NOT_EMPTY", `The folder ${quote(path)} is not empty.`, { cause });
      }
      // FUSE and NFS keep what is open, by another name; and others may fill a folder while it is emptied.
      if (["ENOTEMPTY", "EEXIST", "EBUSY", "ETXTBSY"].includes(errnoOf(cause))) {
        throw new StorageError("BUSY", `${quote(path)} is still in use. What could be removed of it is gone.`, {
          cause,
        });
      }
      if (["ENOENT", "ENOTDIR"].includes(errnoOf(cause))) throw readError(cause, quote(path), this.#owner);
      throw writeError(cause, quote(path), this.#owner);
    }
  }

  async rename(from: string, to: string, options: { overwrite: boolean }): Promise<void> {
    const source = await this.stat(from);
    if (to === from) return;
    if (to.startsWith(`${from}/`)) {
      throw new StorageError("BAD_PATH", `${quote(from)} can't be moved into itself, to ${quote(to)}.`);
    }
    try {
      requireKeptEnds(this.#folders, to);
      await renameLocal(this.#folders, from, to, options.overwrite && source.kind === "file");
    } catch (cause) {
      // Removed or renamed since it was looked at: then that is what is missing.
      if (["ENOENT", "ENOTDIR"].includes(errnoOf(cause))) await this.stat(from);
      throw this.#writeError(cause, to);
    }
  }

  async watch(listener: (changes: readonly StorageChange[]) => void): Promise<() => void> {
    try {
      return await this.#watch.subscribe(listener);
    } catch (cause) {
      if (cause instanceof StorageError) throw cause;
      throw new StorageError("INTERNAL", "The system of the server can't watch the repository.", { cause });
    }
  }

  unfinished(): AsyncIterable<Unfinished> {
    return findUnfinished(this.#folders);
  }

  async removeUnfinished(path: string): Promise<boolean> {
    try {
      const folder = this.#folders.open(parentOf(path));
      try {
        return removeUnfinished(folder, baseName(path));
      } finally {
        folder.release();
      }
    } catch (cause) {
      throw writeError(cause, quote(path), this.#owner);
    }
  }

  /** What of the private places lies in it now: paths of this machine. */
  get privateBelow(): string[] {
    return this.#folders.guard.below(this.location);
  }

  /** @throws StorageError OWN_STATE when it is all private; `what` names it */
  #requirePublic(what: string): void {
    try {
      this.#folders.open("").release();
    } catch (cause) {
      if (!(cause instanceof StorageError)) throw cause;
      const words = `${what} is, or lies in, a folder where CommServer keeps its own keys and records.`;
      throw new StorageError("OWN_STATE", words, { cause });
    }
  }
}
