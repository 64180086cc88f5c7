import fs from "node:fs";
import { realpath, rm, stat } from "node:fs/promises";
import { StorageError } from "../errors.ts";
import { baseName, parentOf, quote } from "../path.ts";
import { errnoOf, type Owner, readError, writeError } from "./disk-error.ts";
import { FolderWatch } from "./folder-watch.ts";
import { Folders } from "./folders.ts";
import { Journal } from "./journal.ts";
import { entryOf, LocalFile, loadSmall, requireFile } from "./local-file.ts";
import { listFolder, lookAt } from "./local-list.ts";
import { LocalPart } from "./local-part.ts";
import type { OpenFolder } from "./open-folder.ts";
import { resumableNames } from "./part-names.ts";
import { copyName } from "./publish.ts";
import { renameNew } from "./rename-new.ts";
import {
  type ExistsPolicy,
  type FileFacts,
  isSmall,
  type ListOptions,
  type LoadedFile,
  type OpenFile,
  type PartFile,
  type Placement,
  type Storage,
  type StorageChange,
  type StorageEntry,
  type Unfinished,
} from "./storage.ts";
import { storeSmall } from "./store-small.ts";
import { findUnfinished, removeUnfinished } from "./unfinished.ts";

const { O_RDONLY, O_NONBLOCK, O_NOCTTY, O_NOFOLLOW } = fs.constants;

/** A folder of this machine. */
export class LocalStorage implements Storage {
  readonly location: string;
  readonly #folders: Folders;
  readonly #watch: FolderWatch;

  readonly #owner: Owner;

  private constructor(root: string, owner: Owner) {
    this.location = root;
    this.#owner = owner;
    this.#folders = new Folders(root);
    const everything = { enter: () => true, skipped: { count: 0 } };
    this.#watch = new FolderWatch(
      root,
      (folder) => this.list(folder, everything),
      (path) => lookAt(this.#folders, path),
    );
  }

  /**
   * @throws StorageError NO_REPOSITORY when there is no such folder, REPOSITORY_DENIED when it can't be read
   */
  static async at(folder: string): Promise<LocalStorage> {
    try {
      const root = await realpath(folder);
      if (!(await stat(root)).isDirectory()) {
        throw new StorageError("NO_REPOSITORY", `The repository ${quote(folder)} is not a folder.`);
      }
      fs.accessSync(root, fs.constants.R_OK | fs.constants.X_OK);
      return new LocalStorage(root, "server");
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

  /** A folder of the user of this program, which exists. @throws StorageError NO_SUCH_FILE, DISK_DENIED, DISK_FAILED */
  static async ofUser(folder: string): Promise<LocalStorage> {
    try {
      return new LocalStorage(await realpath(folder), "user");
    } catch (cause) {
      throw readError(cause, quote(folder), "user");
    }
  }

  async stat(path: string): Promise<StorageEntry> {
    try {
      return entryOf(path, fs.lstatSync(this.#folders.resolve(path), { bigint: true }));
    } catch (cause) {
      throw readError(cause, quote(path), this.#owner);
    }
  }

  async *list(path: string, options: ListOptions): AsyncGenerator<StorageEntry[], void> {
    if ((await this.stat(path)).kind !== "folder") {
      throw new StorageError("NOT_FOUND", `${quote(path)} is not a folder.`);
    }
    yield* listFolder(this.#folders, path, options);
  }

  async open(path: string): Promise<OpenFile> {
    try {
      return this.#openHere(path) ?? this.#openThroughLink(path);
    } catch (cause) {
      throw readError(cause, quote(path), this.#owner);
    }
  }

  load(path: string, limit: number): LoadedFile | undefined {
    try {
      const { folder, name } = this.#folders.holder(path);
      try {
        return loadSmall(path, folder.at(name), limit);
      } finally {
        folder.release();
      }
    } catch (cause) {
      throw readError(cause, quote(path), this.#owner);
    }
  }

  async place(path: string, facts: Pick<FileFacts, "size" | "modifiedAt">, exists: ExistsPolicy): Promise<Placement> {
    let folder: OpenFolder | undefined;
    try {
      const holder = this.#folders.holder(path);
      folder = holder.folder;
      for (let copy = 0; ; copy++) {
        const name = copy === 0 ? holder.name : copyName(holder.name, copy);
        const tried = path.slice(0, path.length - holder.name.length) + name;
        const there = fs.lstatSync(folder.at(name), { throwIfNoEntry: false });
        if (there?.isFile() && there.size === facts.size && Math.trunc(there.mtimeMs) === facts.modifiedAt) {
          return { outcome: "unchanged", path: tried };
        }
        const replaced = exists === "overwrite" && (there?.isFile() || there?.isSymbolicLink());
        if (there === undefined || replaced) return vacant(folder, tried, name, facts.size);
        if (exists === "skip") return { outcome: "skipped", path };
        if (exists === "rename") continue;
        const what = there.isFile() ? "exists" : "is not a file, and is not replaced by one";
        throw new StorageError("EXISTS", `${quote(path)} ${what}.`);
      }
    } catch (cause) {
      if (errnoOf(cause) === "ENOENT") return { outcome: "vacant", path }; // no folder yet
      if (errnoOf(cause) === "ENOTDIR")
        throw new StorageError("EXISTS", `A part of ${quote(path)} is a file.`, { cause });
      throw readError(cause, quote(path), this.#owner);
    } finally {
      folder?.release();
    }
  }

  async receive(path: string, facts: FileFacts, exists: ExistsPolicy): Promise<PartFile> {
    try {
      return await LocalPart.open({ ...this.#makeHolder(path), path, facts, exists });
    } catch (cause) {
      throw writeError(cause, quote(path));
    }
  }

  store(path: string, facts: FileFacts, exists: ExistsPolicy, bytes: Uint8Array): string | Promise<string> {
    const { folder, name } = this.#makeHolder(path);
    const named = (given: string) => (given === name ? path : path.slice(0, path.length - name.length) + given);
    let stored: string | Promise<string>;
    try {
      stored = storeSmall(folder, name, bytes, facts, exists);
    } catch (cause) {
      folder.release();
      throw writeError(cause, quote(path));
    }
    if (typeof stored === "string") {
      folder.release();
      return named(stored);
    }
    return stored
      .then(named, (cause) => {
        throw writeError(cause, quote(path));
      })
      .finally(() => folder.release());
  }

  async makeFolder(path: string): Promise<boolean> {
    try {
      return this.#folders.ensure(path);
    } catch (cause) {
      throw writeError(cause, quote(path));
    }
  }

  async remove(path: string, options: { recursive: boolean }): Promise<void> {
    if (path === "") throw new StorageError("NOT_ALLOWED", "The repository itself can't be removed.");
    try {
      const { folder, name } = this.#folders.holder(path);
      try {
        this.#folders.forget();
        if (!fs.lstatSync(folder.at(name)).isDirectory()) fs.unlinkSync(folder.at(name));
        else if (options.recursive) await rm(folder.at(name), { recursive: true });
        else fs.rmdirSync(folder.at(name));
        await folder.sync();
      } finally {
        folder.release();
      }
    } catch (cause) {
      if (["ENOTEMPTY", "EEXIST"].includes(errnoOf(cause))) {
        throw new StorageError("NOT_EMPTY", `The folder ${quote(path)} is not empty.`, { cause });
      }
      if (["ENOENT", "ENOTDIR"].includes(errnoOf(cause))) throw readError(cause, quote(path), this.#owner);
      throw writeError(cause, quote(path));
    }
  }

  async rename(from: string, to: string, options: { overwrite: boolean }): Promise<void> {
    const source = await this.stat(from);
    if (to === from) return;
    if (to.startsWith(`${from}/`)) {
      throw new StorageError("BAD_PATH", `${quote(from)} can't be moved into itself, to ${quote(to)}.`);
    }
    try {
      const old = this.#folders.holder(from);
      let target: typeof old | undefined;
      try {
        target = this.#folders.holder(to, { make: true });
        this.#folders.forget();
        if (options.overwrite && source.kind === "file" && isFileOrLink(target.folder.at(target.name))) {
          fs.renameSync(old.folder.at(old.name), target.folder.at(target.name));
        } else if (!renameNew(old.folder.at(old.name), target.folder.at(target.name))) {
          throw new StorageError("EXISTS", `${quote(to)} exists.`);
        }
        await Promise.all([old.folder.sync(), target.folder.sync()]);
      } finally {
        old.folder.release();
        target?.folder.release();
      }
    } catch (cause) {
      throw writeError(cause, quote(to));
    }
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await fs.promises.statfs(this.#folders.root);
    return bavail * bsize;
  }

  async watch(listener: (changes: readonly StorageChange[]) => void): Promise<() => void> {
    try {
      return await this.#watch.subscribe(listener);
    } catch (cause) {
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
      throw writeError(cause, quote(path));
    }
  }

  /** @throws StorageError as receive() */
  #makeHolder(path: string): { folder: OpenFolder; name: string } {
    try {
      return this.#folders.holder(path, { make: true });
    } catch (cause) {
      throw writeError(cause, quote(path));
    }
  }

  /** The plain case: a file by its own name in a folder that is held open. undefined when the name is a link. */
  #openHere(path: string): LocalFile | undefined {
    const { folder, name } = this.#folders.holder(path);
    try {
      // Looked at first, because opening a device may already do something; then the opened file is checked.
      const stats = fs.lstatSync(folder.at(name), { bigint: true });
      if (stats.isSymbolicLink()) return undefined;
      requireFile(path, stats);
      return openFile(path, folder.at(name), this.#owner);
    } catch (cause) {
      if (errnoOf(cause) === "ELOOP") return undefined; // a link since a moment
      throw cause;
    } finally {
      folder.release();
    }
  }

  #openThroughLink(path: string): LocalFile {
    const real = this.#folders.resolve(path);
    requireFile(path, fs.lstatSync(real, { bigint: true }));
    return openFile(path, real, this.#owner, (fd, ino) => this.#requireInside(path, fd, ino));
  }

  /**
   * What was opened must lie inside, whatever names are swapped meanwhile. Where the system does not tell the
   * path of an open file, it must be what its real path names now: that leaves a race to someone who can
   * exchange folders of the repository at the right moment.
   */
  #requireInside(path: string, fd: number, ino: bigint): void {
    let real: string | undefined;
    try {
      // Linux tells where the opened file itself is: no name is looked up again that could be swapped meanwhile.
      real = fs.readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      // another system
    }
    if (real !== undefined) return this.#folders.requireBelow(path, real);
    if (fs.lstatSync(this.#folders.resolve(path), { bigint: true }).ino !== ino) {
      throw new StorageError("CHANGED", `${quote(path)} was replaced while it was opened.`);
    }
  }
}

/** @throws StorageError NOT_A_FILE, and what `check` throws; the system's error */
function openFile(path: string, place: string, owner: Owner, check?: (fd: number, ino: bigint) => void): LocalFile {
  const fd = fs.openSync(place, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
  try {
    const opened = fs.fstatSync(fd, { bigint: true });
    requireFile(path, opened);
    check?.(fd, opened.ino);
    return new LocalFile(fd, entryOf(path, opened), owner);
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

function vacant(folder: { at(name: string): string }, path: string, name: string, size: number): Placement {
  const found = isSmall({ size }) ? undefined : Journal.peek(folder.at(resumableNames(name).journal));
  const isThere = found !== undefined && fs.existsSync(folder.at(resumableNames(name).part));
  if (!isThere || found.facts.size !== size) return { outcome: "vacant", path };
  return { outcome: "vacant", path, resume: { etag: found.facts.etag, missing: found.missing } };
}

function isFileOrLink(place: string): boolean {
  const there = fs.lstatSync(place, { throwIfNoEntry: false });
  return there !== undefined && (there.isFile() || there.isSymbolicLink());
}
