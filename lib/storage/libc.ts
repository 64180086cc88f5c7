import { dlopen, ptr } from "bun:ffi";
import fs from "node:fs";

/** Calls of the system's C library that Bun has no name for; each undefined where the system has it not. */
export interface Libc {
  /** Directory records of an open folder into `buffer`: bytes, 0 at the end, -1 on failure. */
  readonly getdents64: ((fd: number, buffer: Buffer) => number) | undefined;
  /** Lock an open file for this opener alone; false while another has it. The system frees it with the last descriptor. */
  readonly tryLock: ((fd: number) => boolean) | undefined;
  /** Create the file `name` in an open folder, for writing, where there is none: its descriptor, -1 on failure. */
  readonly createAt: ((folder: number, name: string) => number) | undefined;
  /** Rename within an open folder, but never over something; false when that failed, for whatever reason. */
  readonly renameNewAt: ((folder: number, from: string, to: string) => boolean) | undefined;
}

const LOCK_EX = 2;
const LOCK_NB = 4;
const RENAME_NOREPLACE = 1;
const { O_WRONLY, O_CREAT, O_EXCL } = fs.constants;
/** Not for the programs that we start. Of no other name in fs. */
const O_CLOEXEC = 0o2000000;

const encoder = new TextEncoder();

let loaded: Libc | undefined;

/** Loaded when first needed: a client that only talks need not pay for it. */
export function libc(): Libc {
  loaded ??= load();
  return loaded;
}

function load(): Libc {
  if (process.platform === "darwin") return { ...NONE, tryLock: loadFlock("libSystem.B.dylib") };
  if (process.platform !== "linux") return NONE;
  const arch = process.arch === "arm64" ? "aarch64" : "x86_64";
  for (const library of ["libc.so.6", `libc.musl-${arch}.so.1`]) {
    try {
      return loadLinux(library);
    } catch {
      // the other libc, or none with these calls: the portable way serves
    }
  }
  return NONE;
}

const NONE: Libc = { getdents64: undefined, tryLock: undefined, createAt: undefined, renameNewAt: undefined };

function loadLinux(library: string): Libc {
  const { symbols } = dlopen(library, {
    getdents64: { args: ["i32", "ptr", "u64"], returns: "i64" },
    flock: { args: ["i32", "i32"], returns: "i32" },
    openat: { args: ["i32", "ptr", "i32", "i32"], returns: "i32" },
    renameat2: { args: ["i32", "ptr", "i32", "ptr", "u32"], returns: "i32" },
  });
  return {
    getdents64: (fd, buffer) => Number(symbols.getdents64(fd, ptr(buffer), buffer.length)),
    tryLock: (fd) => symbols.flock(fd, LOCK_EX | LOCK_NB) === 0,
    createAt: (folder, name) => symbols.openat(folder, firstName(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666),
    renameNewAt: (folder, from, to) =>
      symbols.renameat2(folder, firstName(from), folder, secondName(to), RENAME_NOREPLACE) === 0,
  };
}

function loadFlock(library: string): Libc["tryLock"] {
  try {
    const { symbols } = dlopen(library, { flock: { args: ["i32", "i32"], returns: "i32" } });
    return (fd) => symbols.flock(fd, LOCK_EX | LOCK_NB) === 0;
  } catch {
    return undefined;
  }
}

const firstName = cString();
const secondName = cString();

/** A place for one name as C has it, used again for the next. */
function cString(): (text: string) => ReturnType<typeof ptr> {
  // Three bytes for each of 255 UTF-16 units would do; a longer name is none, and the call fails.
  const buffer = Buffer.alloc(1024);
  return (text) => {
    const { written, read } = encoder.encodeInto(text, buffer.subarray(0, -1));
    buffer[read < text.length ? 0 : written] = 0;
    return ptr(buffer);
  };
}
