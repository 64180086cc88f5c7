import fs from "node:fs";
import { libc } from "../../platform/libc.ts";

/** Names are read in parts of about this many bytes of directory records. */
const BUFFER_BYTES = 64 * 1024;

/** A name on the file system; undefined if it is not UTF-8, and so can't be in a repository path. */
export type FolderName = string | undefined;

/** An entry of a folder, as the folder itself describes it. */
export interface FolderEntry {
  readonly name: FolderName;
  /** Also false for a link; undefined if the file system does not say. */
  readonly isFolder: boolean | undefined;
  /** The name, when it is not UTF-8. */
  readonly bytes?: Uint8Array;
}

/**
 * The names in a folder, part by part, without `.` and `..`. On Linux a part is one getdents64(2) call, so that a
 * folder of a million files costs 64 KiB; elsewhere Bun reads the whole folder. `onStray` gets the bytes of each
 * undefined name, valid only during the call.
 *
 * @throws the system's error when the folder can't be opened or read
 */
export function readFolder(path: string, onStray?: (bytes: Uint8Array) => void): Generator<FolderName[], void> {
  const decode = (bytes: Buffer) => {
    const name = decodeName(bytes);
    if (name === undefined) onStray?.(bytes);
    return name;
  };
  return readParts(path, decode, (name) => name);
}

/** As readFolder(), but with the kind of each entry, as the folder records it. */
export function readEntries(path: string): Generator<FolderEntry[], void> {
  return readParts<FolderEntry>(path, entryOf, (name, isFolder) => ({ name, isFolder }));
}

let buffer: Buffer | undefined;

function* readParts<T>(path: string, read: ReadRecord<T>, take: TakeEntry<T>): Generator<T[], void> {
  const { getdents64 } = libc();
  if (getdents64 === undefined) {
    yield readWhole(path, read, take);
    return;
  }
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY | fs.constants.O_NONBLOCK);
  try {
    // One for all: nobody else has a turn before what is in it was read.
    buffer ??= Buffer.allocUnsafeSlow(BUFFER_BYTES);
    for (;;) {
      const bytes = getdents64(fd, buffer);
      if (bytes < 0) throw readFault(path, fd);
      if (bytes === 0) return;
      yield parseRecords(buffer, bytes, read);
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** The FFI loses the error; most likely, the folder was removed. */
function readFault(path: string, fd: number): Error {
  const code = fs.fstatSync(fd).nlink === 0 ? "ENOENT" : "EIO";
  return Object.assign(new Error(`Cannot read the folder ${path}`), { code });
}

/** Makes a value of a record: its name and its type (d_type). */
type ReadRecord<T> = (name: Buffer, type: number) => T;

/** Makes a value of an entry that Bun has read. */
type TakeEntry<T> = (name: string, isFolder: boolean) => T;

function readWhole<T>(path: string, read: ReadRecord<T>, take: TakeEntry<T>): T[] {
  const entries = fs.readdirSync(path, { withFileTypes: true });
  // Bun puts this character where bytes are not UTF-8; it returns the bytes only without the types.
  if (process.platform !== "win32" && entries.some(({ name }) => name.includes("\ufffd"))) {
    return fs.readdirSync(path, { encoding: "buffer" }).map((name) => read(name, DT_UNKNOWN));
  }
  return entries.map((entry) => take(entry.name, entry.isDirectory()));
}

/** struct linux_dirent64: ino u64, off i64, reclen u16, type u8, name (NUL-terminated), in host order. */
function parseRecords<T>(buffer: Buffer, bytes: number, read: ReadRecord<T>): T[] {
  const records: T[] = [];
  for (let offset = 0; offset < bytes; ) {
    const length = buffer.readUInt16LE(offset + 16);
    const type = buffer[offset + 18] as number;
    const start = offset + 19;
    const name = buffer.subarray(start, buffer.indexOf(0, start));
    offset += length;
    if (name.length <= 2 && name[0] === 0x2e && (name.length === 1 || name[1] === 0x2e)) continue;
    records.push(read(name, type));
  }
  return records;
}

const DT_UNKNOWN = 0;
const DT_DIR = 4;

function entryOf(bytes: Buffer, type: number): FolderEntry {
  const name = decodeName(bytes);
  const isFolder = type === DT_UNKNOWN ? undefined : type === DT_DIR;
  // A copy: the buffer is used for the next part.
  return name === undefined ? { name, isFolder, bytes: Uint8Array.from(bytes) } : { name, isFolder };
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeName(name: Buffer): FolderName {
  try {
    return decoder.decode(name);
  } catch {
    return undefined;
  }
}
