/** Members of a tar. Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Interchange Format". */

/** The largest size that fits the eleven octal digits of a ustar head. */
const MAX_OCTAL = 8 ** 11 - 1;

/** The bytes that a ustar head has for the end of a path, and for the folders above it. */
const [NAME_BYTES, PREFIX_BYTES] = [100, 155];

const encoder = new TextEncoder();

/** A file or folder of a tar. */
export interface TarMember {
  readonly kind: string;
  /** Bytes of a file. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
  readonly executable: boolean;
  /** As FileFacts. */
  readonly mode?: number | undefined;
}

/** The unit of a tar, in bytes. */
export const TAR_BLOCK = 512;

/** Two empty blocks. */
export const TAR_END_BYTES = 2 * TAR_BLOCK;

/**
 * The head of a file, or all of a folder, whose path in the archive is `name`. What a ustar head can't say stands in pax
 * records before it, and a long path also as GNU tar writes it, for readers without pax (BusyBox). A member without bytes
 * has records in any case: so it can be cut.
 */
export function tarHead(name: string, member: TarMember): Uint8Array {
  const isFolder = member.kind === "folder";
  const path = isFolder ? `${name}/` : name;
  const size = isFolder ? 0 : member.size;
  const { modifiedAt } = member;
  const seconds = Math.floor(modifiedAt / 1000);
  const isWhole = modifiedAt === seconds * 1000 && seconds >= 0 && seconds <= MAX_OCTAL;
  const records: string[] = [];
  const split = splitPath(encoder.encode(path));
  if (split === undefined || !/^[\x20-\x7e]+$/.test(path)) records.push(paxRecord("path", path));
  if (size > MAX_OCTAL) records.push(paxRecord("size", `${size}`));
  if (!isWhole || size === 0) records.push(paxRecord("mtime", decimal(modifiedAt)));
  return joined([
    ...(records.length > 0 ? named("PaxHeader", "x", encoder.encode(records.join(""))) : []),
    ...(split === undefined ? named("././@LongLink", "L", encoder.encode(`${path}\0`)) : []),
    ustarHead({
      ...(split ?? { name: encoder.encode(path).subarray(0, NAME_BYTES) }),
      size,
      mode: member.mode ?? (isFolder || member.executable ? 0o755 : 0o644),
      seconds: Math.min(MAX_OCTAL, Math.max(0, seconds)),
      type: isFolder ? "5" : "0",
    }),
  ]);
}

/** Zeros that follow `size` bytes of a file. */
export function tarPadding(size: number): number {
  return padded(size) - size;
}

function padded(bytes: number): number {
  return Math.ceil(bytes / TAR_BLOCK) * TAR_BLOCK;
}

/** Milliseconds as seconds with a fraction. */
function decimal(milliseconds: number): string {
  const [sign, all] = [milliseconds < 0 ? "-" : "", Math.abs(milliseconds)];
  const fraction = `${all % 1000}`.padStart(3, "0").replace(/0+$/, "");
  return `${sign}${Math.floor(all / 1000)}${fraction === "" ? "" : `.${fraction}`}`;
}

/** `LENGTH KEY=VALUE`, where the length includes its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = encoder.encode(` ${key}=${value}\n`).length;
  let length = rest + `${rest}`.length;
  if (`${length}`.length > `${rest}`.length) length = rest + `${length}`.length;
  return `${length} ${key}=${value}\n`;
}

/** The two fields of a path, which is cut at a slash; undefined when it does not fit them. */
function splitPath(path: Uint8Array): { name: Uint8Array; prefix?: Uint8Array } | undefined {
  if (path.length <= NAME_BYTES) return { name: path };
  // The slash at the end of a folder's path belongs to its name.
  const cut = path.subarray(0, -1).indexOf("/".charCodeAt(0), path.length - NAME_BYTES - 1);
  if (cut < 1 || cut > PREFIX_BYTES) return undefined;
  return { name: path.subarray(cut + 1), prefix: path.subarray(0, cut) };
}

/** A member that says something about the next one. */
function named(name: string, type: string, content: Uint8Array): Uint8Array[] {
  const head = ustarHead({ name: encoder.encode(name), size: content.length, mode: 0o644, seconds: 0, type });
  return [head, content, new Uint8Array(tarPadding(content.length))];
}

interface UstarFields {
  readonly name: Uint8Array;
  readonly prefix?: Uint8Array;
  readonly size: number;
  readonly mode: number;
  readonly seconds: number;
  readonly type: string;
}

function ustarHead({ name, prefix, size, mode, seconds, type }: UstarFields): Uint8Array {
  const head = new Uint8Array(TAR_BLOCK);
  const text = (at: number, value: string) => head.set(encoder.encode(value), at);
  const octal = (at: number, digits: number, value: number) => text(at, value.toString(8).padStart(digits, "0"));
  head.set(name);
  octal(100, 7, mode);
  octal(108, 7, 0);
  octal(116, 7, 0);
  if (size <= MAX_OCTAL) octal(124, 11, size);
  else {
    // The way of GNU tar: a mark, and then the bytes of the number.
    head[124] = 0x80;
    new DataView(head.buffer).setBigUint64(128, BigInt(size));
  }
  octal(136, 11, seconds);
  text(148, "        ");
  text(156, type);
  text(257, "ustar\x0000");
  if (prefix !== undefined) head.set(prefix, 345);
  const sum = head.reduce((all, byte) => all + byte, 0);
  text(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  return head;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
