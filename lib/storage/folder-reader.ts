import { dlopen, ptr } from "bun:ffi";
import fs from "node:fs";

/** Names come in parts of about this many bytes of directory records. */
const BUFFER_BYTES = 64 * 1024;

/** A name as the file system has it; undefined where it is not UTF-8 and so can't be a repository path. */
export type FolderName = string | undefined;

/**
 * The names in a folder, part by part, `.` and `..` left out. On Linux a part is one getdents64(2) call, so
 * that a folder of a million files costs 64 KiB; elsewhere Bun reads the folder whole.
 *
 * `check` gets the real path of what was opened, where the system tells it (Linux), and may throw.
 *
 * @throws the system's error when the folder can't be opened or read
 */
export function* readFolder(path: string, check?: (real: string) => void): Generator<FolderName[], void> {
  const getdents64 = loadGetdents64();
  if (getdents64 === undefined) {
    yield fs.readdirSync(path);
    return;
  }
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY | fs.constants.O_NONBLOCK);
  try {
    check?.(fs.readlinkSync(`/proc/self/fd/${fd}`));
    const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
    for (;;) {
      const bytes = Number(getdents64(fd, ptr(buffer), BUFFER_BYTES));
      // Which error it was is lost on the way through the FFI; most likely the folder is gone.
      if (bytes < 0) throw Object.assign(new Error(`Cannot read the folder ${path}`), { code: "EIO" });
      if (bytes === 0) return;
      yield parseRecords(buffer, bytes);
    }
  } finally {
    fs.closeSync(fd);
  }
}

type Getdents64 = (fd: number, buffer: ReturnType<typeof ptr>, bytes: number) => number | bigint;

let loaded: { getdents64: Getdents64 | undefined } | undefined;

/** Loaded by the first list: a client, and a server that is not asked for one, need not pay for the FFI. */
function loadGetdents64(): Getdents64 | undefined {
  loaded ??= { getdents64: process.platform === "linux" ? openLibc() : undefined };
  return loaded.getdents64;
}

function openLibc(): Getdents64 | undefined {
  const arch = process.arch === "arm64" ? "aarch64" : "x86_64";
  for (const library of ["libc.so.6", `libc.musl-${arch}.so.1`]) {
    try {
      return dlopen(library, { getdents64: { args: ["i32", "ptr", "u64"], returns: "i64" } }).symbols.getdents64;
    } catch {
      // the other libc, or none with this call: Bun's own way serves
    }
  }
  return undefined;
}

/** struct linux_dirent64: ino u64, off i64, reclen u16, type u8, name (NUL-terminated), in host order. */
function parseRecords(buffer: Buffer, bytes: number): FolderName[] {
  const names: FolderName[] = [];
  for (let offset = 0; offset < bytes; ) {
    const length = buffer.readUInt16LE(offset + 16);
    const start = offset + 19;
    const name = buffer.subarray(start, buffer.indexOf(0, start));
    offset += length;
    if (name.length <= 2 && name[0] === 0x2e && (name.length === 1 || name[1] === 0x2e)) continue;
    names.push(decodeName(name));
  }
  return names;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeName(name: Buffer): FolderName {
  try {
    return decoder.decode(name);
  } catch {
    return undefined;
  }
}
