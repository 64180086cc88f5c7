import { dlopen, ptr, read } from "bun:ffi";
import fs from "node:fs";
import { DARWIN_LIBC, firstName, LINUX_LIBC, O_CLOEXEC, onLinux, secondName, tried } from "./c-library.ts";

/** Calls for files and folders. */
export interface FileCalls {
  /** Read directory records of an open folder into `buffer`. Returns the bytes, 0 at the end, -1 on failure. */
  readonly getdents64: ((fd: number, buffer: Buffer) => number) | undefined;
  /**
   * Lock an open file for this opener alone; false on any failure. The system frees the lock with the last descriptor.
   */
  readonly tryLock: ((fd: number) => boolean) | undefined;
  /** Create the new file `name` in an open folder, for writing. Returns its descriptor, -1 on failure. */
  readonly createAt: ((folder: number, name: string, mode: number) => number) | undefined;
  /** Open the file `name` in an open folder, with flags of open(2). Returns its descriptor, -1 on failure. */
  readonly openAt: ((folder: number, name: string, flags: number) => number) | undefined;
  /** Rename within an open folder, without replacing anything; false on any failure. */
  readonly renameNewAt: ((folder: number, from: string, to: string) => boolean) | undefined;
  /**
   * Whether the disk of an open file could hold a byte at this offset, if the system knows its limits. Moves the file
   * position.
   */
  readonly isWithinReach: ((fd: number, offset: number) => boolean) | undefined;
  /** Finds the data and the holes of a file: lseek(2) with SEEK_DATA and SEEK_HOLE. Linux only. */
  readonly seek: SeekCalls | undefined;
}

/**
 * Both search from `offset` on, and don't disturb reads at explicit positions; undefined when the system can't tell.
 */
export interface SeekCalls {
  /** The start of the next hole; the end of the file counts as one. */
  hole(fd: number, offset: number): number | undefined;
  /** The start of the next data; infinity if there is none. */
  data(fd: number, offset: number): number | undefined;
}

export function loadFileCalls(): FileCalls {
  return {
    getdents64: onLinux(loadGetdents),
    tryLock: process.platform === "darwin" ? tried(loadFlock) : onLinux(loadFlock),
    createAt: onLinux(loadCreateAt),
    openAt: onLinux(loadOpenAt),
    renameNewAt: onLinux(loadRenameat2) ?? onLinux(loadRenameSyscall),
    isWithinReach: onLinux(loadLseek),
    seek: onLinux(loadSeek),
  };
}

function loadGetdents(): FileCalls["getdents64"] {
  const { symbols } = dlopen(LINUX_LIBC, { getdents64: { args: ["i32", "ptr", "u64"], returns: "i64" } });
  return (fd, buffer) => Number(symbols.getdents64(fd, ptr(buffer), buffer.length));
}

const LOCK_EX = 2;
const LOCK_NB = 4;

function loadFlock(): FileCalls["tryLock"] {
  const library = process.platform === "darwin" ? DARWIN_LIBC : LINUX_LIBC;
  const { symbols } = dlopen(library, { flock: { args: ["i32", "i32"], returns: "i32" } });
  return (fd) => symbols.flock(fd, LOCK_EX | LOCK_NB) === 0;
}

const { O_WRONLY, O_CREAT, O_EXCL } = fs.constants;

function loadCreateAt(): FileCalls["createAt"] {
  const openat = loadOpenat();
  const flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
  return (folder, name, mode) => openat(folder, firstName(name), flags, mode);
}

function loadOpenAt(): FileCalls["openAt"] {
  const openat = loadOpenat();
  return (folder, name, flags) => openat(folder, firstName(name), flags | O_CLOEXEC, 0);
}

function loadOpenat() {
  return dlopen(LINUX_LIBC, { openat: { args: ["i32", "ptr", "i32", "i32"], returns: "i32" } }).symbols.openat;
}

const RENAME_NOREPLACE = 1;
/** The number of renameat2(2), for a C library that has no function for it (musl, old glibc). */
const SYS_RENAMEAT2 = process.arch === "arm64" ? 276 : 316;

function loadRenameat2(): FileCalls["renameNewAt"] {
  const { symbols } = dlopen(LINUX_LIBC, { renameat2: { args: ["i32", "ptr", "i32", "ptr", "u32"], returns: "i32" } });
  return (folder, from, to) =>
    symbols.renameat2(folder, firstName(from), folder, secondName(to), RENAME_NOREPLACE) === 0;
}

function loadRenameSyscall(): FileCalls["renameNewAt"] {
  const { symbols } = dlopen(LINUX_LIBC, {
    syscall: { args: ["i64", "i64", "ptr", "i64", "ptr", "i64"], returns: "i64" },
  });
  return (folder, from, to) =>
    Number(symbols.syscall(SYS_RENAMEAT2, folder, firstName(from), folder, secondName(to), RENAME_NOREPLACE)) === 0;
}

const SEEK_SET = 0;

function loadLseek(): FileCalls["isWithinReach"] {
  const { symbols } = dlopen(LINUX_LIBC, { lseek: { args: ["i32", "i64", "i32"], returns: "i64" } });
  // Beyond the file system's largest offset, the seek itself fails. Nothing is written.
  return (fd, offset) => Number(symbols.lseek(fd, offset, SEEK_SET)) >= 0;
}

const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const ENXIO = 6;

function loadSeek(): SeekCalls {
  const { symbols } = dlopen(LINUX_LIBC, {
    lseek: { args: ["i32", "i64", "i32"], returns: "i64" },
    __errno_location: { args: [], returns: "ptr" },
  });
  return {
    hole(fd, offset) {
      const found = Number(symbols.lseek(fd, offset, SEEK_HOLE));
      return found < 0 ? undefined : found;
    },
    data(fd, offset) {
      const found = Number(symbols.lseek(fd, offset, SEEK_DATA));
      if (found >= 0) return found;
      // ENXIO: everything after the offset is a hole. Other failures say nothing.
      const errno = symbols.__errno_location();
      return errno !== null && read.i32(errno) === ENXIO ? Number.POSITIVE_INFINITY : undefined;
    },
  };
}
