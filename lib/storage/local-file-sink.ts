import { constants, type FileHandle, link, lstat, open, rename, unlink, utimes } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { StorageError } from "../errors.ts";
import { MAX_NAME_BYTES, quote } from "../path.ts";
import { errnoOf, writeError } from "./disk-error.ts";
import type { FileSink } from "./storage.ts";

/** The last millisecond that a Date can hold. */
const MAX_TIME = 8.64e15;

/** A file of this machine that appears whole or not at all: `<name>.part` beside it until commit(). */
export class LocalFileSink implements FileSink {
  readonly #target: string;
  readonly #part: string;
  readonly #overwrite: boolean;
  readonly #handle: FileHandle;
  #position = 0;
  #open = true;

  private constructor(target: string, part: string, overwrite: boolean, handle: FileHandle) {
    this.#target = target;
    this.#part = part;
    this.#overwrite = overwrite;
    this.#handle = handle;
  }

  /**
   * @throws StorageError EXISTS when the target exists and `overwrite` is off; DISK_FULL, DISK_DENIED, DISK_FAILED
   */
  static async create(target: string, options: { overwrite: boolean }): Promise<LocalFileSink> {
    const absolute = resolve(target);
    try {
      await requirePlace(absolute, options.overwrite);
      const part = partOf(absolute);
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
      return new LocalFileSink(absolute, part, options.overwrite, await open(part, flags, 0o666));
    } catch (cause) {
      throw writeError(cause, quote(target));
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let offset = 0; offset < bytes.length; ) {
        const { bytesWritten } = await this.#handle.write(bytes, offset, bytes.length - offset, this.#position);
        offset += bytesWritten;
        this.#position += bytesWritten;
      }
    } catch (cause) {
      throw writeError(cause, quote(this.#target));
    }
  }

  async commit(modifiedAt: number): Promise<void> {
    try {
      await this.#handle.sync();
      await this.#close();
      const time = new Date(Math.max(-MAX_TIME, Math.min(MAX_TIME, modifiedAt)));
      await utimes(this.#part, time, time);
      await this.#publish();
      await syncFolder(dirname(this.#target));
    } catch (cause) {
      await this.abort();
      throw writeError(cause, quote(this.#target));
    }
  }

  async abort(): Promise<void> {
    await this.#close();
    await unlink(this.#part).catch(() => {});
  }

  /** Under its name, atomically; without `overwrite` never over another file, not even a new one. */
  async #publish(): Promise<void> {
    if (this.#overwrite) return rename(this.#part, this.#target);
    try {
      await link(this.#part, this.#target);
    } catch (cause) {
      if (errnoOf(cause) === "EEXIST") throw cause;
      // No hard links here (FAT, some network shares): the check at create() is the best there is.
      return rename(this.#part, this.#target);
    }
    await unlink(this.#part);
  }

  async #close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#handle.close();
  }
}

/** @throws StorageError EXISTS when something is at `target` that may not, or can't, be replaced */
async function requirePlace(target: string, overwrite: boolean): Promise<void> {
  const there = await lstat(target).catch((cause) => {
    if (errnoOf(cause) === "ENOENT") return undefined;
    throw cause;
  });
  if (there === undefined) return;
  if (!overwrite) throw new StorageError("EXISTS", `${quote(target)} exists.`);
  if (there.isFile() || there.isSymbolicLink()) return;
  // A rename would put a file in the place of /dev/null.
  throw new StorageError("EXISTS", `${quote(target)} is not a file, and is not replaced by one.`);
}

/** Beside the target, and recognizable; for a very long name only recognizable. */
function partOf(target: string): string {
  const suffix = `.${crypto.randomUUID().slice(0, 8)}.part`;
  const name = basename(target);
  const fits = Buffer.byteLength(name) + suffix.length <= MAX_NAME_BYTES;
  return join(dirname(target), fits ? name + suffix : `commserver${suffix}`);
}

/** Make a rename durable, where a folder can be opened for that (not on Windows, nor without the right to read it). */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, constants.O_RDONLY).catch((cause) => {
    if (errnoOf(cause) === "EACCES") return undefined;
    throw cause;
  });
  try {
    await handle?.sync();
  } catch (cause) {
    // Some network file systems know no such thing.
    if (!["EINVAL", "ENOTSUP"].includes(errnoOf(cause))) throw cause;
  } finally {
    await handle?.close();
  }
}
