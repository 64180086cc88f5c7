import { constants, type FileHandle, link, open, rename, unlink, utimes } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { StorageError } from "../errors.ts";
import { quote } from "../path.ts";
import { errnoOf, writeError } from "./disk-error.ts";
import type { FileSink } from "./storage.ts";

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
    if (!options.overwrite && (await Bun.file(absolute).exists())) {
      throw new StorageError("EXISTS", `${quote(target)} exists.`);
    }
    const part = `${absolute}.${crypto.randomUUID().slice(0, 8)}.part`;
    try {
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
      await utimes(this.#part, new Date(modifiedAt), new Date(modifiedAt));
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

/** Make a rename durable. Systems that can't sync a folder (Windows) have nothing to do here. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
