import type { BigIntStats } from "node:fs";
import fs from "node:fs";
import { constants, type FileHandle, lstat, open, readlink, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { StorageError } from "../errors.ts";
import { pathFault, quote } from "../path.ts";
import { errnoOf, readError } from "./disk-error.ts";
import { type FolderName, readFolder } from "./folder-reader.ts";
import type { ListOptions, OpenFile, Storage, StorageEntry } from "./storage.ts";

/** Folders up to here are sorted by name; larger ones come as they are stored. */
const SORTED_NAMES = 10_000;
/** Entries whose details are asked for at once. */
const BATCH_ENTRIES = 128;

/** A folder of this machine as a repository. */
export class LocalStorage implements Storage {
  readonly location: string;
  /** The root with all links resolved; everything served lies below. */
  readonly #root: string;

  private constructor(root: string) {
    this.location = root;
    this.#root = root;
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
      return new LocalStorage(root);
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

  async stat(path: string): Promise<StorageEntry> {
    try {
      const real = await this.#resolve(path);
      return entryOf(path, await lstat(real, { bigint: true }));
    } catch (cause) {
      throw readError(cause, quote(path));
    }
  }

  async *list(path: string, options: ListOptions): AsyncGenerator<StorageEntry[], void> {
    try {
      if (!(await lstat(await this.#resolve(path))).isDirectory()) {
        throw new StorageError("NOT_FOUND", `${quote(path)} is not a folder.`);
      }
    } catch (cause) {
      throw readError(cause, quote(path));
    }
    yield* this.#listFolder(path, options);
  }

  async open(path: string): Promise<OpenFile> {
    let handle: FileHandle | undefined;
    try {
      const real = await this.#resolve(path);
      // Looked at first, because opening a device may already do something; then the opened file is checked.
      requireFile(path, await stat(real, { bigint: true }));
      handle = await open(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
      const opened = await handle.stat({ bigint: true });
      requireFile(path, opened);
      await this.#requireInside(path, handle.fd, opened);
      return new LocalFile(handle, entryOf(path, opened));
    } catch (cause) {
      await handle?.close();
      throw readError(cause, quote(path));
    }
  }

  /** Depth first. Only the names of one sorted folder per level are held, never those of a large one. */
  async *#listFolder(folder: string, options: ListOptions): AsyncGenerator<StorageEntry[], void> {
    let pending: FolderName[] = [];
    let large = false;
    try {
      // Resolved now: what was a folder may have become a link out of the repository.
      for (const names of readFolder(await this.#resolve(folder), (real) => this.#requireBelow(folder, real))) {
        for (const name of names) pending.push(name);
        large ||= pending.length > SORTED_NAMES;
        if (!large) continue;
        yield* this.#listNames(folder, pending, options);
        pending = [];
      }
    } catch (cause) {
      if (errnoOf(cause) === "" && !(cause instanceof StorageError)) throw cause;
      options.skipped.count++;
      return;
    }
    yield* this.#listNames(folder, pending.sort(), options);
  }

  async *#listNames(
    folder: string,
    names: readonly FolderName[],
    options: ListOptions,
  ): AsyncGenerator<StorageEntry[], void> {
    for (let start = 0; start < names.length; start += BATCH_ENTRIES) {
      const found = await Promise.all(
        names.slice(start, start + BATCH_ENTRIES).map((name) => this.#look(folder, name)),
      );
      let batch: StorageEntry[] = [];
      for (const entry of found) {
        if (entry === undefined) {
          options.skipped.count++;
          continue;
        }
        batch.push(entry);
        if (entry.kind === "folder" && options.enter(entry.path)) {
          yield batch;
          batch = [];
          yield* this.#listFolder(entry.path, options);
        }
      }
      if (batch.length > 0) yield batch;
    }
  }

  /** The entry for a name in a folder; undefined when it can't be served or has just gone. */
  async #look(folder: string, name: FolderName): Promise<StorageEntry | undefined> {
    if (name === undefined) return undefined;
    const path = folder === "" ? name : `${folder}/${name}`;
    if (pathFault(path) !== undefined) return undefined;
    try {
      const stats = await lstat(join(this.#root, path), { bigint: true });
      return stats.isSymbolicLink() ? await this.#lookThrough(path, stats) : entryOf(path, stats);
    } catch {
      return undefined;
    }
  }

  /** A link to a file inside is told as that file; any other stays a link. */
  async #lookThrough(path: string, link: BigIntStats): Promise<StorageEntry> {
    try {
      const target = await lstat(await this.#resolve(path), { bigint: true });
      if (target.isFile()) return entryOf(path, target);
    } catch {
      // dangling or leading out
    }
    return entryOf(path, link);
  }

  /**
   * The real path of `path`.
   *
   * @throws StorageError NOT_ALLOWED when it lies outside, also when it does not exist there; system errors
   */
  async #resolve(path: string): Promise<string> {
    const real = await realpath(join(this.#root, path)).catch(async (cause) => {
      // What is missing behind a link that leads out must not be told from what is there.
      if (path.includes("/")) await this.#resolve(path.slice(0, path.lastIndexOf("/")));
      throw cause;
    });
    this.#requireBelow(path, real);
    return real;
  }

  /** @throws StorageError NOT_ALLOWED when the real path `real` lies outside */
  #requireBelow(path: string, real: string): void {
    const inside = real === this.#root || real.startsWith(this.#root.endsWith(sep) ? this.#root : this.#root + sep);
    if (!inside) throw new StorageError("NOT_ALLOWED", `${quote(path)} is a link that leads out of the repository.`);
  }

  /**
   * What was opened must lie inside, whatever names are swapped meanwhile. Where the system does not tell the
   * path of an open file, it must be what its real path names now: that leaves a race to someone who can
   * exchange folders of the repository at the right moment.
   */
  async #requireInside(path: string, fd: number, opened: BigIntStats): Promise<void> {
    // Linux tells where the opened file itself is: no name is looked up again that could be swapped meanwhile.
    const real = await readlink(`/proc/self/fd/${fd}`).catch(() => undefined);
    if (real !== undefined) return this.#requireBelow(path, real);
    const named = await lstat(await this.#resolve(path), { bigint: true });
    if (named.dev !== opened.dev || named.ino !== opened.ino) {
      throw new StorageError("CHANGED", `${quote(path)} was replaced while it was opened.`);
    }
  }
}

class LocalFile implements OpenFile {
  readonly #handle: FileHandle;
  readonly entry: StorageEntry;

  constructor(handle: FileHandle, entry: StorageEntry) {
    this.#handle = handle;
    this.entry = entry;
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    try {
      return (await this.#handle.read(buffer, 0, buffer.length, position)).bytesRead;
    } catch (cause) {
      throw readError(cause, quote(this.entry.path));
    }
  }

  async currentEtag(): Promise<string> {
    return etagOf(await this.#handle.stat({ bigint: true }));
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

function requireFile(path: string, stats: BigIntStats): void {
  if (stats.isFile()) return;
  const what = stats.isDirectory() ? "a folder" : "not a regular file";
  throw new StorageError("NOT_A_FILE", `${quote(path)} is ${what}.`);
}

function entryOf(path: string, stats: BigIntStats): StorageEntry {
  const kind = stats.isFile() ? "file" : stats.isDirectory() ? "folder" : stats.isSymbolicLink() ? "link" : "other";
  return {
    path,
    kind,
    size: kind === "file" ? Number(stats.size) : 0,
    modifiedAt: Number(stats.mtimeMs),
    etag: etagOf(stats),
  };
}

function etagOf(stats: BigIntStats): string {
  return `${stats.size.toString(36)}-${stats.mtimeNs.toString(36)}-${stats.ino.toString(36)}`;
}
