import { dlopen, ptr, read } from "bun:ffi";
import fs from "node:fs";
import { LINUX_LIBC } from "./c-library.ts";

/** The errno(3) values of Linux that say why there is no route to an address. */
const NAMES: Readonly<Record<number, string>> = {
  1: "EPERM",
  13: "EACCES",
  19: "ENODEV",
  22: "EINVAL",
  99: "EADDRNOTAVAIL",
  100: "ENETDOWN",
  101: "ENETUNREACH",
  113: "EHOSTUNREACH",
};

const AI_NUMERICHOST = 4;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
/** Offsets of members in struct addrinfo of glibc and musl, 64 bits. */
const FAMILY = 4;
const LENGTH = 16;
const ADDRESS = 24;
const ADDRINFO_BYTES = 48;

/**
 * Why this machine has no route to the address `host` (not a name), as the system's name of the error. It connects a
 * UDP socket, which sends nothing; Bun reports all of these errors as ECONNREFUSED. undefined if there is a route, or
 * that can't be determined.
 */
export function routeFault(host: string): string | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    return ask(host);
  } catch {
    return undefined; // a program that may not generate code at run time
  }
}

function ask(host: string): string | undefined {
  const { symbols: libc, close } = dlopen(LINUX_LIBC, {
    getaddrinfo: { args: ["ptr", "ptr", "ptr", "ptr"], returns: "i32" },
    freeaddrinfo: { args: ["u64"], returns: "void" },
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    connect: { args: ["i32", "u64", "u32"], returns: "i32" },
    __errno_location: { args: [], returns: "ptr" },
  });
  // Numeric addresses only, for one kind of socket: no name server is asked.
  const hints = new Int32Array(ADDRINFO_BYTES / Int32Array.BYTES_PER_ELEMENT);
  hints[0] = AI_NUMERICHOST;
  hints[2] = SOCK_DGRAM;
  const found = new BigUint64Array(1);
  const text = Buffer.from(`${host}\0`);
  const port = Buffer.from("9\0");
  try {
    if (libc.getaddrinfo(ptr(text), ptr(port), ptr(hints), ptr(found)) !== 0) return undefined;
    const info = Number(found[0]) as ReturnType<typeof ptr>;
    const fd = libc.socket(read.i32(info, FAMILY), SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const isFailed = fd >= 0 && libc.connect(fd, BigInt(read.ptr(info, ADDRESS)), read.u32(info, LENGTH)) < 0;
    const location = libc.__errno_location();
    const errno = isFailed && location !== null ? read.i32(location) : 0;
    if (fd >= 0) fs.closeSync(fd);
    libc.freeaddrinfo(found[0] ?? 0n);
    return NAMES[errno];
  } finally {
    close();
  }
}
