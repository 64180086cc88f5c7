import type { StorageEntry } from "../storage/storage.ts";

/**
 * Members of a zip that are stored without compression, so that their lengths are known before they are read. Source:
 * PKWARE APPNOTE 6.3.10. The CRC-32 follows each file, in a data descriptor: it need not be known when the file begins.
 */

const MAX_16 = 0xffff;
const MAX_32 = 0xffffffff;
/** 2.0: folders and descriptors; 4.5: sizes and places above 4 GiB. */
const VERSION = 20;
const VERSION_64 = 45;
const UNIX = 3;
/** Names are UTF-8. */
const UTF_8 = 0x0800;
const DESCRIPTOR = 0x0008;
const ZIP_64 = 0x0001;
/** "Extended timestamp" of Info-ZIP: seconds since 1970, where zip itself has local times. */
const TIMESTAMP = 0x5455;
const FOLDER = 0o040000;
const FILE = 0o100000;
const DOS_FOLDER = 0x10;

const encoder = new TextEncoder();

/** Where the directory of an archive is. */
export interface DirectoryPlace {
  readonly count: number;
  readonly at: number;
  readonly bytes: number;
}

/** The bytes before a file's, or all bytes of a folder. */
export function zipHead(name: string, entry: StorageEntry): Uint8Array {
  const bytes = nameOf(name, entry);
  const isLarge = isLargeFile(entry);
  const extra = [timestamp(entry), ...(isLarge ? [field(ZIP_64, u64(0), u64(0))] : [])];
  const size = isLarge ? MAX_32 : 0;
  return joined(
    u32(0x04034b50),
    u16(isLarge ? VERSION_64 : VERSION),
    ...common(entry, { checksum: 0, size }),
    u16(bytes.length),
    u16(lengthOf(extra)),
    bytes,
    ...extra,
  );
}

/** The length of zipDescriptor(). */
export function zipDescriptorBytes(entry: StorageEntry): number {
  if (entry.kind !== "file") return 0;
  return isLargeFile(entry) ? 24 : 16;
}

/** The bytes that follow those of a file. */
export function zipDescriptor(entry: StorageEntry, checksum: number): Uint8Array {
  if (entry.kind !== "file") return new Uint8Array(0);
  const size = isLargeFile(entry) ? u64(entry.size) : u32(entry.size);
  return joined(u32(0x08074b50), u32(checksum), size, size);
}

/** The directory's record of a member that begins at `at`. */
export function zipRecord(name: string, entry: StorageEntry, at: number, checksum: number): Uint8Array {
  const bytes = nameOf(name, entry);
  const isFolder = entry.kind === "folder";
  const isLarge = isLargeFile(entry);
  const isFar = at >= MAX_32;
  const wide = [...(isLarge ? [u64(entry.size), u64(entry.size)] : []), ...(isFar ? [u64(at)] : [])];
  const extra = [timestamp(entry), ...(wide.length > 0 ? [field(ZIP_64, ...wide)] : [])];
  const version = wide.length > 0 ? VERSION_64 : VERSION;
  const mode = (isFolder ? FOLDER : FILE) | (entry.mode ?? (isFolder || entry.executable ? 0o755 : 0o644));
  const size = isFolder ? 0 : entry.size;
  return joined(
    u32(0x02014b50),
    u16((UNIX << 8) | version),
    u16(version),
    ...common(entry, { checksum, size: isLarge ? MAX_32 : size }),
    u16(bytes.length),
    u16(lengthOf(extra)),
    u16(0),
    u16(0),
    u16(0),
    u32(mode * 0x10000 + (isFolder ? DOS_FOLDER : 0)),
    u32(isFar ? MAX_32 : at),
    bytes,
    ...extra,
  );
}

/** The end of the archive, after the directory. */
export function zipEnd({ count, at, bytes }: DirectoryPlace): Uint8Array {
  const isLarge = count >= MAX_16 || at >= MAX_32 || bytes >= MAX_32;
  const wide = [
    ...[u32(0x06064b50), u64(44), u16((UNIX << 8) | VERSION_64), u16(VERSION_64), u32(0), u32(0)],
    ...[u64(count), u64(count), u64(bytes), u64(at)],
    ...[u32(0x07064b50), u32(0), u64(at + bytes), u32(1)],
  ];
  const short = Math.min(count, MAX_16);
  return joined(
    ...(isLarge ? wide : []),
    u32(0x06054b50),
    u16(0),
    u16(0),
    u16(short),
    u16(short),
    u32(Math.min(bytes, MAX_32)),
    u32(Math.min(at, MAX_32)),
    u16(0),
  );
}

/** Flags, no compression, time, CRC-32 and sizes, as in both heads. */
function common(entry: StorageEntry, { checksum, size }: { checksum: number; size: number }): Uint8Array[] {
  const isFile = entry.kind === "file";
  const [time, date] = dosTime(entry.modifiedAt);
  return [u16(isFile ? UTF_8 | DESCRIPTOR : UTF_8), u16(0), u16(time), u16(date), u32(checksum), u32(size), u32(size)];
}

function nameOf(name: string, { kind }: StorageEntry): Uint8Array {
  return encoder.encode(kind === "folder" ? `${name}/` : name);
}

function isLargeFile({ kind, size }: StorageEntry): boolean {
  return kind === "file" && size >= MAX_32;
}

function timestamp({ modifiedAt }: StorageEntry): Uint8Array {
  const seconds = Math.min(Math.max(0, Math.floor(modifiedAt / 1000)), 0x7fffffff);
  return field(TIMESTAMP, new Uint8Array([1]), u32(seconds));
}

/** The time in UTC, for readers without the extended timestamp; from 1980 to 2107. */
function dosTime(modifiedAt: number): [time: number, date: number] {
  const at = new Date(Math.min(Math.max(modifiedAt, Date.UTC(1980, 0)), Date.UTC(2107, 11, 31, 23, 59, 58)));
  const time = (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1);
  const date = ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate();
  return [time, date];
}

function field(id: number, ...values: Uint8Array[]): Uint8Array {
  return joined(u16(id), u16(lengthOf(values)), ...values);
}

function u16(value: number): Uint8Array {
  return new Uint8Array([value, value >>> 8]);
}

function u32(value: number): Uint8Array {
  return new Uint8Array([value, value >>> 8, value >>> 16, value >>> 24]);
}

function u64(value: number): Uint8Array {
  return joined(u32(value % 2 ** 32), u32(Math.floor(value / 2 ** 32)));
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

function joined(...pieces: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(lengthOf(pieces));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
