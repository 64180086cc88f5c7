import { dlopen, ptr } from "bun:ffi";
import { closeSync } from "node:fs";
import { LINUX_LIBC, O_CLOEXEC, onLinux } from "./c-library.ts";

/** Calls of a program that a service manager starts: for inherited sockets, and messages to the manager. Linux only. */
export interface ServiceCalls {
  /** A second descriptor of the same open file; undefined if there is none left. */
  readonly duplicate: ((fd: number) => number | undefined) | undefined;
  /** The address that a TCP socket is bound to; undefined for other sockets. */
  readonly boundAddress: ((fd: number) => { host: string; port: number } | undefined) | undefined;
  /** Send a datagram to a Unix socket; a path that begins with "@" is in the abstract namespace. @returns success */
  readonly sendDatagram: ((path: string, text: string) => boolean) | undefined;
}

export function loadServiceCalls(): ServiceCalls {
  return {
    duplicate: onLinux(loadDuplicate),
    boundAddress: onLinux(loadBoundAddress),
    sendDatagram: onLinux(loadSendDatagram),
  };
}

const F_DUPFD_CLOEXEC = 1030;
/** Standard streams that are closed must not be taken. */
const FIRST_FREE = 3;

function loadDuplicate(): ServiceCalls["duplicate"] {
  const { symbols } = dlopen(LINUX_LIBC, { fcntl: { args: ["i32", "i32", "i32"], returns: "i32" } });
  return (fd) => {
    const copy = symbols.fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE);
    return copy < 0 ? undefined : copy;
  };
}

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;

function loadBoundAddress(): ServiceCalls["boundAddress"] {
  const { symbols } = dlopen(LINUX_LIBC, { getsockname: { args: ["i32", "ptr", "ptr"], returns: "i32" } });
  return (fd) => {
    const address = Buffer.alloc(128);
    const length = new Uint32Array([address.length]);
    if (symbols.getsockname(fd, ptr(address), ptr(length)) !== 0) return undefined;
    const port = address.readUInt16BE(2);
    switch (address.readUInt16LE(0)) {
      case AF_INET:
        return { host: [...address.subarray(4, 8)].join("."), port };
      case AF_INET6: {
        const groups = Array.from({ length: 8 }, (_, index) => address.readUInt16BE(8 + 2 * index).toString(16));
        return { host: new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1), port };
      }
      default:
        return undefined;
    }
  };
}

const SOCK_DGRAM = 2;
const MSG_NOSIGNAL = 0x4000;
/** Of `struct sockaddr_un`, without a NUL at the end. */
const MAX_PATH_BYTES = 107;

function loadSendDatagram(): ServiceCalls["sendDatagram"] {
  const { symbols } = dlopen(LINUX_LIBC, {
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    sendto: { args: ["i32", "ptr", "u64", "i32", "ptr", "u32"], returns: "i64" },
  });
  return (path, text) => {
    const name = Buffer.from(path.startsWith("@") ? `\0${path.slice(1)}` : path);
    if (name.length === 0 || name.length > MAX_PATH_BYTES) return false;
    const address = Buffer.alloc(2 + name.length);
    address.writeUInt16LE(AF_UNIX, 0);
    name.copy(address, 2);
    const bytes = Buffer.from(text);
    const socket = symbols.socket(AF_UNIX, SOCK_DGRAM | O_CLOEXEC, 0);
    if (socket < 0) return false;
    const sent = symbols.sendto(socket, ptr(bytes), bytes.length, MSG_NOSIGNAL, ptr(address), address.length);
    closeSync(socket);
    return Number(sent) === bytes.length;
  };
}
