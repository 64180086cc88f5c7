import type { StorageEntry } from "../storage/storage.ts";

/** Entries of a tar. Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Interchange Format". */

const BLOCK = 512;

/** The largest size that fits the eleven octal digits of a ustar head. */
const MAX_OCTAL = 8 ** 11 - 1;

const encoder = new TextEncoder();

/** Two empty blocks. */
export const TAR_END_BYTES = 2 * BLOCK;

/** The head of a file, or all of a folder, whose path in the archive is `name`. */
export function tarHead(name: string, entry: StorageEntry): Uint8Array {
  const isFolder = entry.kind === "folder";
  const path = isFolder ? `${name}/` : name;
  const size = isFolder ? 0 : entry.size;
  const records: string[] = [];
  if (!/^[\x20-\x7e]{1,100}$/.test(path)) records.push(paxRecord("path", path));
  if (size > MAX_OCTAL) records.push(paxRecord("size", `${size}`));
  const head = ustarHead({
    path: asciiName(path),
    size: Math.min(size, MAX_OCTAL),
    mode: entry.mode ?? (isFolder || entry.executable ? 0o755 : 0o644),
    seconds: Math.min(MAX_OCTAL, Math.floor(entry.modifiedAt / 1000)),
    type: isFolder ? "5" : "0",
  });
  if (records.length === 0) return head;
  const extended = encoder.encode(records.join(""));
  const before = ustarHead({ path: "PaxHeader", size: extended.length, mode: 0o644, seconds: 0, type: "x" });
  const all = new Uint8Array(BLOCK + padded(extended.length) + BLOCK);
  all.set(before);
  all.set(extended, BLOCK);
  all.set(head, BLOCK + padded(extended.length));
  return all;
}

/** Zeros that follow `size` bytes of a file. */
export function tarPadding(size: number): number {
  return padded(size) - size;
}

function padded(bytes: number): number {
  return Math.ceil(bytes / BLOCK) * BLOCK;
}

/** `LENGTH KEY=VALUE`, where the length includes its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = encoder.encode(` ${key}=${value}\n`).length;
  let length = rest + `${rest}`.length;
  if (`${length}`.length > `${rest}`.length) length = rest + `${length}`.length;
  return `${length} ${key}=${value}\n`;
}

/** A name for readers without pax: as much as fits, in ASCII only. */
function asciiName(path: string): string {
  return path.replace(/[^\x20-\x7e]/gu, "_").slice(0, 100);
}

function ustarHead(fields: { path: string; size: number; mode: number; seconds: number; type: string }): Uint8Array {
  const head = new Uint8Array(BLOCK);
  const text = (at: number, value: string) => head.set(encoder.encode(value), at);
  const octal = (at: number, digits: number, value: number) => text(at, value.toString(8).padStart(digits, "0"));
  text(0, fields.path);
  octal(100, 7, fields.mode);
  octal(108, 7, 0);
  octal(116, 7, 0);
  octal(124, 11, fields.size);
  octal(136, 11, fields.seconds);
  text(148, "        ");
  text(156, fields.type);
  text(257, "ustar\x0000");
  const sum = head.reduce((all, byte) => all + byte, 0);
  text(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  return head;
}
