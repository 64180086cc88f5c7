import fs, { type BigIntStats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { sep } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { errnoOf } from "../../errno.ts";
import { libc } from "../../platform/libc.ts";
import type { NodeStats } from "../../platform/stat-calls.ts";
import { isOutOfFiles } from "../disk-error.ts";
import type { FolderId } from "./inodes.ts";
import { toLocalName } from "./names/local-names.ts";
import { HAS_PROC, O_PATH, procPath } from "./proc-path.ts";
import { realPath } from "./real-path.ts";
import { renameNew } from "./rename-new.ts";

/** File systems in memory, where a sync does nothing and costs a turn: tmpfs and ramfs (statfs(2)). */
const VOLATILE = new Set([0x01021994, 0x858458f6]);

/** How often, and how long apart, to ask for a descriptor again: about two seconds. */
const MAX_TRIES = 200;
const RETRY_MS = 10;

const { O_RDONLY, O_NONBLOCK, O_NOCTTY, O_NOFOLLOW, O_WRONLY, O_CREAT, O_EXCL } = fs.constants;
const READ = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW;
const CREATE = O_WRONLY | O_CREAT | O_EXCL;

/** Checks an opened folder, and may throw. @returns its identity, if that is needed later */
export type FolderCheck = (folder: OpenFolder) => FolderId;

/**
 * A folder of this machine that is held open: a name in it refers to that very folder, whatever is swapped on the way
 * to it. This needs Linux's /proc/self/fd; elsewhere the real path stands for the folder.
 */
export class OpenFolder {
  readonly #fd: number | undefined;
  readonly #place: string;
  readonly #check: FolderCheck | undefined;
  #uses = 1;
  #syncing: Promise<void> = Promise.resolve();
  #nextSync: Promise<void> | undefined;
  #isDurable: boolean | undefined;

  #id: FolderId | undefined;

  private constructor(place: string, fd: number | undefined, check: FolderCheck | undefined) {
    this.#fd = fd;
    this.#place = place;
    this.#check = check;
    this.recheck();
  }

  /** Open a folder, not following a link in the last component. @throws the system's error, and what `check` throws */
  static open(path: string | Buffer, check?: FolderCheck): OpenFolder {
    if (!HAS_PROC) {
      if (!fs.lstatSync(path).isDirectory()) throw Object.assign(new Error("Not a folder"), { code: "ENOTDIR" });
      return new OpenFolder(String(path), undefined, check);
    }
    const fd = fs.openSync(path, O_PATH | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW);
    try {
      return new OpenFolder(procPath(fd), fd, check);
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
  }

  /** Run `check` again, a good while after open(). @throws what it throws */
  recheck(): void {
    this.#id = this.#check?.(this);
  }

  /** The identity that the check returned. */
  get id(): FolderId | undefined {
    return this.#id;
  }

  /** Its real path now. @throws the system's error */
  get real(): string {
    return this.#fd === undefined ? realPath(this.#place) : fs.readlinkSync(this.#place);
  }

  /** A path for the system that leads to `name` in this folder; "." is the folder itself. */
  at(name: string): string {
    return name === "." ? this.#place : this.#place + sep + toLocalName(name);
  }

  /** The facts of `name`, without following a link; "." is the folder itself. @throws the system's error */
  look(name: string): BigIntStats {
    const place = this.at(name);
    // The entry of /proc is itself a link.
    return name === "." ? fs.statSync(place, { bigint: true }) : fs.lstatSync(place, { bigint: true });
  }

  /** As look(), for one of thousands of names. Returns undefined for an error, which look() meets again. */
  glance(name: string): NodeStats | undefined {
    const { statAt } = libc();
    if (statAt !== undefined && this.#fd !== undefined) return statAt(this.#fd, name);
    try {
      return fs.lstatSync(this.at(name), { bigint: true });
    } catch {
      return undefined;
    }
  }

  /** The folder's own facts. @throws the system's error */
  lookAtItself(): BigIntStats {
    return this.#fd === undefined ? this.look(".") : fs.fstatSync(this.#fd, { bigint: true });
  }

  /**
   * Open the file `name` for reading, without following a link or waiting for a pipe. Returns its descriptor.
   *
   * @throws the system's error; ELOOP for a link
   */
  openFile(name: string): number {
    const { openAt } = libc();
    const fd = openAt === undefined || this.#fd === undefined ? -1 : openAt(this.#fd, name, READ);
    // The portable call meets the same error again, and reports it.
    return fd >= 0 ? fd : fs.openSync(this.at(name), READ);
  }

  /**
   * Create the file `name` for writing, with `mode` less the umask. Returns its descriptor.
   *
   * @throws the system's error, also when it exists
   */
  create(name: string, mode: number): number {
    const { createAt } = libc();
    const fd = createAt === undefined || this.#fd === undefined ? -1 : createAt(this.#fd, name, mode);
    // The portable call meets the same error again, and reports it.
    return fd >= 0 ? fd : fs.openSync(this.at(name), CREATE, mode);
  }

  /** Rename `from` to `to` unless something is there; then return false. @throws the system's error */
  renameNew(from: string, to: string): boolean {
    const { renameNewAt } = libc();
    if (renameNewAt !== undefined && this.#fd !== undefined && renameNewAt(this.#fd, from, to)) return true;
    return renameNew(this.at(from), this.at(to));
  }

  /** False on disks where nothing survives a power failure anyway. */
  get isDurable(): boolean {
    this.#isDurable ??= !VOLATILE.has(fs.statfsSync(this.at(".")).type);
    return this.#isDurable;
  }

  /** True when it was removed: nothing can be created in it any more. */
  get isGone(): boolean {
    return this.#fd !== undefined && fs.fstatSync(this.#fd).nlink === 0;
  }

  /** True while this very folder is at `place`; where folders can't be held open, while any folder is there. */
  isAt(place: string): boolean {
    try {
      const there = fs.statSync(place, { bigint: true });
      if (this.#fd === undefined) return there.isDirectory();
      const own = fs.fstatSync(this.#fd, { bigint: true });
      return own.ino === there.ino && own.dev === there.dev;
    } catch {
      return false;
    }
  }

  /** Add a user of the folder; each must call release(). */
  retain(): this {
    this.#uses++;
    return this;
  }

  release(): void {
    if (--this.#uses === 0 && this.#fd !== undefined) fs.closeSync(this.#fd);
  }

  /**
   * Make all names durable that were created or removed before. Calls during a sync share the next one: ten thousand
   * files in one folder don't take ten thousand syncs.
   */
  sync(): Promise<void> {
    this.#nextSync ??= this.#syncing
      .catch(() => {})
      .then(() => {
        this.#nextSync = undefined;
        this.#syncing = syncFolder(this.at("."));
        return this.#syncing;
      });
    return this.#nextSync;
  }
}

/**
 * Wait for a descriptor: a published file can't be taken back for lack of one, and files that are being stored free
 * theirs soon.
 */
async function openWhenFree(path: string): Promise<FileHandle> {
  for (let tries = 1; ; tries++) {
    try {
      return await open(path, fs.constants.O_RDONLY);
    } catch (cause) {
      if (!isOutOfFiles(cause) || tries === MAX_TRIES) throw cause;
      await pause(RETRY_MS);
    }
  }
}

/** A name in an open folder. The receiver releases the folder. */
export interface Held {
  readonly folder: OpenFolder;
  readonly name: string;
}

/** Only if the folder can be opened: not on Windows, and not without permission to read it. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await openWhenFree(path).catch((cause) => {
    if (errnoOf(cause) === "EACCES") return undefined;
    throw cause;
  });
  try {
    await handle?.sync();
  } catch (cause) {
    // Some network file systems don't support it.
    if (!["EINVAL", "ENOTSUP"].includes(errnoOf(cause))) throw cause;
  } finally {
    await handle?.close();
  }
}
