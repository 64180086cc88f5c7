import { dlopen, ptr, read } from "bun:ffi";
import fs from "node:fs";

/**
 * Calls of the system's C library that Bun has no name for. Each is undefined where the system has it not, whatever the
 * others are; all are where the program may make no code at run time, which bun:ffi needs (systemd's
 * MemoryDenyWriteExecute).
 */
export interface Libc {
  /** Directory records of an open folder into `buffer`: bytes, 0 at the end, -1 on failure. */
  readonly getdents64: ((fd: number, buffer: Buffer) => number) | undefined;
  /** Lock an open file for this opener alone; false on failure, whatever it was. The system frees it with the last descriptor. */
  readonly tryLock: ((fd: number) => boolean) | undefined;
  /** Create the file `name` in an open folder, for writing, where there is none: its descriptor, -1 on failure. */
  readonly createAt: ((folder: number, name: string, mode: number) => number) | undefined;
  /** Rename within an open folder, but never over something; false when that failed, for whatever reason. */
  readonly renameNewAt: ((folder: number, from: string, to: string) => boolean) | undefined;
  /**
   * sendfile(2): bytes of a file to a socket without a copy through this process. It takes what the socket has room for;
   * 0 or less when that, or the file, is at its end.
   */
  readonly sendfile: ((socket: number, file: number, offset: number, length: number) => number) | undefined;
  /** Whether the disk of an open file could have a byte at this offset, as far as the system knows its limits. Its position moves. */
  readonly isWithinReach: ((fd: number, offset: number) => boolean) | undefined;
  /** Where a file has data, and where holes: lseek(2) with SEEK_DATA and SEEK_HOLE. Linux only. */
  readonly seek: SeekCalls | undefined;
  /** inotify(7). Linux only. */
  readonly inotify: InotifyCalls | undefined;
  /** The POSIX access control list (acl(5)) of what is at `path`, as the system has it; undefined where it has none. */
  readonly getAcl: ((path: string) => Uint8Array | undefined) | undefined;
  /** Give an open file such a list; false on failure. */
  readonly setAcl: ((fd: number, acl: Uint8Array) => boolean) | undefined;
  /** Take it from an open file, if it has one. */
  readonly removeAcl: ((fd: number) => void) | undefined;
  /** The user of the process at the other end of a Unix socket, when it connected; undefined where that can't be known. */
  readonly peerUser: ((socket: number) => number | undefined) | undefined;
  /** Which of these sockets, by index, have the last byte of their peer, read or not, or are broken: poll(2). Linux only. */
  readonly endedSockets: ((sockets: readonly number[]) => number[]) | undefined;
}

/** Both look from `offset` on, and move nothing that reads by position; undefined when the system can't tell. */
export interface SeekCalls {
  /** Where the next hole begins; the end of the file is one. */
  hole(fd: number, offset: number): number | undefined;
  /** Where the next data begin; infinity when there are none. */
  data(fd: number, offset: number): number | undefined;
}

export interface InotifyCalls {
  /** A new instance that never blocks: its descriptor, -1 when there is none left. */
  init(): number;
  /** Watch what is at `path` for what `mask` asks for: its watch, the same for the same thing; -1 on failure. */
  add(instance: number, path: string, mask: number): number;
  remove(instance: number, watch: number): void;
}

/**
 * A name that every such system has: musl knows it for itself. No other is tried: one that the system does not have, Bun
 * looks for in the working folder, and would run what somebody has put there.
 */
export const LINUX_LIBC = "libc.so.6";
const DARWIN = "libSystem.B.dylib";

const LOCK_EX = 2;
const LOCK_NB = 4;
const RENAME_NOREPLACE = 1;
/** The number of renameat2(2), for a C library that has no function for it (musl, old glibc). */
const SYS_RENAMEAT2 = process.arch === "arm64" ? 276 : 316;
const { O_WRONLY, O_CREAT, O_EXCL, O_NONBLOCK } = fs.constants;
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
  const isLinux = process.platform === "linux";
  return {
    getdents64: isLinux ? tried(loadGetdents) : undefined,
    tryLock: isLinux || process.platform === "darwin" ? tried(loadFlock) : undefined,
    createAt: isLinux ? tried(loadOpenat) : undefined,
    renameNewAt: isLinux ? (tried(loadRenameat2) ?? tried(loadRenameSyscall)) : undefined,
    sendfile: isLinux ? tried(loadSendfile) : undefined,
    isWithinReach: isLinux ? tried(loadLseek) : undefined,
    seek: isLinux ? tried(loadSeek) : undefined,
    inotify: isLinux ? tried(loadInotify) : undefined,
    getAcl: isLinux ? tried(loadGetAcl) : undefined,
    setAcl: isLinux ? tried(loadSetAcl) : undefined,
    removeAcl: isLinux ? tried(loadRemoveAcl) : undefined,
    peerUser: isLinux ? tried(loadPeerUser) : undefined,
    endedSockets: isLinux ? tried(loadPoll) : undefined,
  };
}

function tried<T>(load: () => T): T | undefined {
  try {
    return load();
  } catch {
    return undefined; // the portable way serves
  }
}

function loadGetdents(): Libc["getdents64"] {
  const { symbols } = dlopen(LINUX_LIBC, { getdents64: { args: ["i32", "ptr", "u64"], returns: "i64" } });
  return (fd, buffer) => Number(symbols.getdents64(fd, ptr(buffer), buffer.length));
}

function loadFlock(): Libc["tryLock"] {
  const library = process.platform === "darwin" ? DARWIN : LINUX_LIBC;
  const { symbols } = dlopen(library, { flock: { args: ["i32", "i32"], returns: "i32" } });
  return (fd) => symbols.flock(fd, LOCK_EX | LOCK_NB) === 0;
}

function loadOpenat(): Libc["createAt"] {
  const { symbols } = dlopen(LINUX_LIBC, { openat: { args: ["i32", "ptr", "i32", "i32"], returns: "i32" } });
  const flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
  return (folder, name, mode) => symbols.openat(folder, firstName(name), flags, mode);
}

function loadRenameat2(): Libc["renameNewAt"] {
  const { symbols } = dlopen(LINUX_LIBC, { renameat2: { args: ["i32", "ptr", "i32", "ptr", "u32"], returns: "i32" } });
  return (folder, from, to) =>
    symbols.renameat2(folder, firstName(from), folder, secondName(to), RENAME_NOREPLACE) === 0;
}

function loadRenameSyscall(): Libc["renameNewAt"] {
  const { symbols } = dlopen(LINUX_LIBC, {
    syscall: { args: ["i64", "i64", "ptr", "i64", "ptr", "i64"], returns: "i64" },
  });
  return (folder, from, to) =>
    Number(symbols.syscall(SYS_RENAMEAT2, folder, firstName(from), folder, secondName(to), RENAME_NOREPLACE)) === 0;
}

function loadSendfile(): Libc["sendfile"] {
  const { symbols } = dlopen(LINUX_LIBC, { sendfile: { args: ["i32", "i32", "ptr", "u64"], returns: "i64" } });
  const position = new BigInt64Array(1);
  const at = ptr(position);
  return (socket, file, offset, length) => {
    position[0] = BigInt(offset);
    return Number(symbols.sendfile(socket, file, at, length));
  };
}

const SEEK_SET = 0;

function loadLseek(): Libc["isWithinReach"] {
  const { symbols } = dlopen(LINUX_LIBC, { lseek: { args: ["i32", "i64", "i32"], returns: "i64" } });
  // Beyond what the file system can number the seek itself fails; where one looks for more, nothing is written.
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
      // Only so the system says that all behind it is a hole; another failure says nothing.
      const errno = symbols.__errno_location();
      return errno !== null && read.i32(errno) === ENXIO ? Number.POSITIVE_INFINITY : undefined;
    },
  };
}

function loadInotify(): InotifyCalls {
  const { symbols } = dlopen(LINUX_LIBC, {
    inotify_init1: { args: ["i32"], returns: "i32" },
    inotify_add_watch: { args: ["i32", "ptr", "u32"], returns: "i32" },
    inotify_rm_watch: { args: ["i32", "i32"], returns: "i32" },
  });
  return {
    init: () => symbols.inotify_init1(O_NONBLOCK | O_CLOEXEC),
    add: (instance, path, mask) => symbols.inotify_add_watch(instance, firstName(path), mask),
    remove: (instance, watch) => void symbols.inotify_rm_watch(instance, watch),
  };
}

/** The name under which Linux keeps such a list beside a file. */
const ACL = Buffer.from("system.posix_acl_access\0");
/** The system takes no more of anything that it keeps so (XATTR_SIZE_MAX). */
const MAX_ACL_BYTES = 65_536;

function loadGetAcl(): Libc["getAcl"] {
  const { symbols } = dlopen(LINUX_LIBC, { lgetxattr: { args: ["ptr", "ptr", "ptr", "u64"], returns: "i64" } });
  let buffer: Uint8Array | undefined;
  return (path) => {
    buffer ??= new Uint8Array(MAX_ACL_BYTES);
    const bytes = Number(symbols.lgetxattr(wholePath(path), ptr(ACL), ptr(buffer), buffer.length));
    return bytes > 0 ? buffer.slice(0, bytes) : undefined;
  };
}

function loadSetAcl(): Libc["setAcl"] {
  const { symbols } = dlopen(LINUX_LIBC, { fsetxattr: { args: ["i32", "ptr", "ptr", "u64", "i32"], returns: "i32" } });
  return (fd, acl) => symbols.fsetxattr(fd, ptr(ACL), ptr(acl), acl.length, 0) === 0;
}

function loadRemoveAcl(): Libc["removeAcl"] {
  const { symbols } = dlopen(LINUX_LIBC, { fremovexattr: { args: ["i32", "ptr"], returns: "i32" } });
  return (fd) => void symbols.fremovexattr(fd, ptr(ACL));
}

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;

function loadPeerUser(): Libc["peerUser"] {
  const { symbols } = dlopen(LINUX_LIBC, {
    getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
  });
  // struct ucred: process, user, group.
  const credentials = new Uint32Array(3);
  const length = new Uint32Array(1);
  return (socket) => {
    length[0] = credentials.byteLength;
    const failed = symbols.getsockopt(socket, SOL_SOCKET, SO_PEERCRED, ptr(credentials), ptr(length)) !== 0;
    return failed ? undefined : credentials[1];
  };
}

const POLLERR = 0x8;
const POLLHUP = 0x10;
const POLLRDHUP = 0x2000;
/** struct pollfd: the descriptor, what is asked for, what is so (of 4, 2 and 2 bytes). */
const POLLFD_BYTES = 8;

function loadPoll(): Libc["endedSockets"] {
  const { symbols } = dlopen(LINUX_LIBC, { poll: { args: ["ptr", "u64", "i32"], returns: "i32" } });
  return (sockets) => {
    const asked = new DataView(new ArrayBuffer(sockets.length * POLLFD_BYTES));
    sockets.forEach((socket, index) => {
      asked.setInt32(index * POLLFD_BYTES, socket, true);
      asked.setInt16(index * POLLFD_BYTES + 4, POLLRDHUP, true);
    });
    if (symbols.poll(ptr(asked), sockets.length, 0) <= 0) return [];
    const isEnded = (index: number) =>
      (asked.getInt16(index * POLLFD_BYTES + 6, true) & (POLLRDHUP | POLLHUP | POLLERR)) !== 0;
    return [...sockets.keys()].filter(isEnded);
  };
}

/** Three bytes for each of 255 UTF-16 units would do; a longer name is none, and the call fails. */
const firstName = cString(1024);
const secondName = cString(1024);
/** The system takes none that is longer (PATH_MAX). */
const wholePath = cString(4097);

/** A place for one name as C has it, used again for the next. */
function cString(bytes: number): (text: string) => ReturnType<typeof ptr> {
  const buffer = Buffer.alloc(bytes);
  return (text) => {
    const { written, read } = encoder.encodeInto(text, buffer.subarray(0, -1));
    buffer[read < text.length ? 0 : written] = 0;
    return ptr(buffer);
  };
}
