import fs, { type BigIntStats } from "node:fs";
import { promisify } from "node:util";
import { StorageError } from "../errors.ts";
import { quote } from "../path.ts";
import { type Owner, readError } from "./disk-error.ts";
import type { OpenFile, StorageEntry } from "./storage.ts";

/** Up to here a read from memory is quicker than handing it to another thread. */
const SYNC_BYTES = 64 * 1024;

const readAt = promisify(fs.read) as unknown as (
  fd: number,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
) => Promise<{ bytesRead: number } | number>;

/** An open file of this machine. */
export class LocalFile implements OpenFile {
  readonly #fd: number;
  readonly entry: StorageEntry;
  #reads = 0;
  #closing = false;

  readonly #owner: Owner;

  constructor(fd: number, entry: StorageEntry, owner: Owner) {
    this.#fd = fd;
    this.#owner = owner;
    this.entry = entry;
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    this.#reads++;
    try {
      if (buffer.length <= SYNC_BYTES && this.entry.size <= SYNC_BYTES) {
        return fs.readSync(this.#fd, buffer, 0, buffer.length, position);
      }
      const read = await readAt(this.#fd, buffer, 0, buffer.length, position);
      return typeof read === "number" ? read : read.bytesRead;
    } catch (cause) {
      throw readError(cause, quote(this.entry.path), this.#owner);
    } finally {
      this.#reads--;
      if (this.#closing && this.#reads === 0) fs.closeSync(this.#fd);
    }
  }

  async currentEtag(): Promise<string> {
    return etagOf(fs.fstatSync(this.#fd, { bigint: true }));
  }

  /** Not while a read is under way: the number of its descriptor may be another file's the next moment. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    if (this.#reads === 0) fs.closeSync(this.#fd);
  }
}

/** @throws StorageError NOT_A_FILE */
export function requireFile(path: string, stats: BigIntStats): void {
  if (stats.isFile()) return;
  const what = stats.isDirectory() ? "a folder" : "not a regular file";
  throw new StorageError("NOT_A_FILE", `${quote(path)} is ${what}.`);
}

export function entryOf(path: string, stats: BigIntStats): StorageEntry {
  const kind = stats.isFile() ? "file" : stats.isDirectory() ? "folder" : stats.isSymbolicLink() ? "link" : "other";
  return {
    path,
    kind,
    size: kind === "file" ? Number(stats.size) : 0,
    modifiedAt: Number(stats.mtimeMs),
    executable: kind === "file" && (stats.mode & 0o100n) !== 0n,
    etag: etagOf(stats),
  };
}

function etagOf(stats: BigIntStats): string {
  return `${stats.size.toString(36)}-${stats.mtimeNs.toString(36)}-${stats.ino.toString(36)}`;
}
