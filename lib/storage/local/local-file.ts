import fs, { type BigIntStats } from "node:fs";
import { BLOCK_BYTES, type Range } from "../../block.ts";
import type { NodeStats } from "../../platform/stat-calls.ts";
import type { Owner } from "../../storage-faults.ts";
import { storageFault } from "../../storage-faults.ts";
import { readError } from "../disk-error.ts";
import type { FileSource, LoadedFile, OpenFile, StorageEntry } from "../storage.ts";
import { readAt, takenBytes } from "./file-io.ts";
import { findHoles } from "./find-holes.ts";
import type { Held } from "./open-folder.ts";
import { modeOf } from "./rights.ts";

/** Up to this size, a read from memory is quicker than handing it to another thread. */
const SYNC_BYTES = 64 * 1024;

const NS_PER_MS = 1_000_000n;

/** An open file of this machine. */
export class LocalFile implements OpenFile {
  readonly #fd: number;
  readonly entry: StorageEntry;
  /** Reads under way, and other users of the descriptor. */
  #uses = 0;
  #closing = false;

  readonly #owner: Owner;

  /** As it was opened. No disk changes its inode number while it is open. */
  readonly #opened: BigIntStats;
  #hasGrown = false;

  /** `entry` may have an etag that is valid for longer. */
  constructor(fd: number, entry: StorageEntry, opened: BigIntStats, owner: Owner) {
    this.#fd = fd;
    this.#owner = owner;
    this.#opened = opened;
    this.entry = entry;
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    this.#requireOpen();
    this.#uses++;
    try {
      if (buffer.length <= SYNC_BYTES && this.entry.size <= SYNC_BYTES) {
        const bytes = fs.readSync(this.#fd, buffer, 0, buffer.length, position);
        this.#requireSame();
        return bytes;
      }
      const bytes = await readAt(this.#fd, buffer, position);
      // After the read, to notice any write before it.
      this.#requireSame();
      return bytes;
    } catch (cause) {
      throw readError(cause, this.entry.path, this.#owner);
    } finally {
      this.#letGo();
    }
  }

  source(offset: number, length: number): FileSource {
    return {
      fd: this.#fd,
      offset,
      length,
      retain: () => {
        this.#uses++;
        return () => this.#letGo();
      },
    };
  }

  holes(): readonly Range[] {
    this.#requireOpen();
    const { size } = this.entry;
    if (size <= BLOCK_BYTES) return [];
    return takenBytes(this.#fd) < size ? findHoles(this.#fd, size) : [];
  }

  get hasGrown(): boolean {
    return this.#hasGrown;
  }

  async check(): Promise<void> {
    this.#requireOpen();
    this.#requireSame();
  }

  /** @throws StorageError CHANGED */
  #requireSame(): void {
    const stats = fs.fstatSync(this.#fd, { bigint: true });
    if (!this.#hasGrown && isSame(stats, this.#opened)) return;
    if (stats.size <= this.entry.size) throw storageFault.changed(this.entry.path);
    this.#hasGrown = true;
  }

  /** Don't close while a read is under way: its descriptor's number may belong to another file the next moment. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    if (this.#uses === 0) fs.closeSync(this.#fd);
  }

  /** After close(), the descriptor's number may belong to another file. */
  #requireOpen(): void {
    if (this.#closing) throw storageFault.closed(this.entry.path);
  }

  #letGo(): void {
    this.#uses--;
    if (this.#closing && this.#uses === 0) fs.closeSync(this.#fd);
  }
}

/**
 * A plain file, read in one go; undefined when it is not a plain file, is above `limit`, or changed meanwhile. `check`
 * gets the facts of the opened file, and may throw. Makes few system calls, since it may be one of ten thousand files.
 *
 * @throws StorageError NOT_A_FILE when its content differs from its size; the system's error
 */
export function loadSmall(
  path: string,
  { folder, name }: Held,
  limit: number,
  check: (opened: BigIntStats) => void,
): LoadedFile | undefined {
  // Check first: opening a device may have side effects.
  const before = folder.glance(name) ?? folder.look(name);
  if (kindOf(Number(before.mode)) !== "file" || before.size > limit) return undefined;
  const fd = folder.openFile(name);
  try {
    const bytes = Buffer.allocUnsafe(Number(before.size));
    const read = bytes.length === 0 ? 0 : fs.readSync(fd, bytes, 0, bytes.length, 0);
    const after = fs.fstatSync(fd, { bigint: true });
    check(after);
    if (!isSame(after, before)) return undefined;
    if (read < bytes.length) throw storageFault.notAsLarge(path, before.size);
    if (bytes.length === 0) requireEmpty(path, fd);
    return { entry: entryOf(path, after), bytes };
  } finally {
    fs.closeSync(fd);
  }
}

/** /proc and some FUSE disks report a size of 0 for any file. @throws StorageError NOT_A_FILE; the system's error */
export function requireEmpty(path: string, fd: number): void {
  if (fs.readSync(fd, Buffer.allocUnsafe(1), 0, 1, 0) === 0) return;
  // Otherwise it was empty, and has just grown.
  const { size } = fs.fstatSync(fd, { bigint: true });
  if (size === 0n) throw storageFault.notAsLarge(path, size);
}

/** @throws StorageError NOT_A_FILE */
export function requireFile(path: string, stats: BigIntStats): void {
  if (stats.isFile()) return;
  throw storageFault.notAFile(path, stats.isDirectory() ? "a folder" : "not a regular file");
}

export function entryOf(path: string, stats: NodeStats): StorageEntry {
  const mode = Number(stats.mode);
  const kind = kindOf(mode);
  return {
    path,
    kind,
    size: kind === "file" ? countOf(stats.size) : 0,
    modifiedAt: countOf(stats.mtimeNs / NS_PER_MS),
    executable: kind === "file" && (mode & 0o100) !== 0,
    mode: kind === "file" || kind === "folder" ? modeOf(mode) : undefined,
    etag: etagOf(stats),
  };
}

function kindOf(mode: number): StorageEntry["kind"] {
  switch (mode & fs.constants.S_IFMT) {
    case fs.constants.S_IFREG:
      return "file";
    case fs.constants.S_IFDIR:
      return "folder";
    case fs.constants.S_IFLNK:
      return "link";
    default:
      return "other";
  }
}

/** The nearest number of the protocol, in which no file is older than 1970, or larger than 2^53 - 1 bytes. */
export function countOf(value: bigint): number {
  return Math.min(Math.max(Number(value), 0), Number.MAX_SAFE_INTEGER);
}

/** Whether both have the same etag. */
function isSame(one: NodeStats, other: NodeStats): boolean {
  return one.size === other.size && one.mtimeNs === other.mtimeNs && one.ino === other.ino;
}

function etagOf(stats: NodeStats): string {
  return `${stats.size.toString(36)}-${stats.mtimeNs.toString(36)}-${stats.ino.toString(36)}`;
}
