import { dlopen, ptr } from "bun:ffi";
import { LINUX_LIBC, onLinux } from "./c-library.ts";

/** Calls for sockets. Linux only. */
export interface SocketCalls {
  /**
   * sendfile(2): bytes of a file to a socket without a copy through this process. It sends as much as the socket has
   * room for; 0 or less when the socket is full, or the file is at its end.
   */
  readonly sendfile: ((socket: number, file: number, offset: number, length: number) => number) | undefined;
  /**
   * The user of the process at the other end of a Unix socket when it connected; undefined if the system can't tell.
   */
  readonly peerUser: ((socket: number) => number | undefined) | undefined;
  /**
   * Indexes of the sockets whose peer's last byte has arrived, read or not, or that are broken: poll(2). Linux only.
   */
  readonly endedSockets: ((sockets: readonly number[]) => number[]) | undefined;
}

export function loadSocketCalls(): SocketCalls {
  return {
    sendfile: onLinux(loadSendfile),
    peerUser: onLinux(loadPeerUser),
    endedSockets: onLinux(loadPoll),
  };
}

function loadSendfile(): SocketCalls["sendfile"] {
  const { symbols } = dlopen(LINUX_LIBC, { sendfile: { args: ["i32", "i32", "ptr", "u64"], returns: "i64" } });
  const position = new BigInt64Array(1);
  const at = ptr(position);
  return (socket, file, offset, length) => {
    position[0] = BigInt(offset);
    return Number(symbols.sendfile(socket, file, at, length));
  };
}

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;

function loadPeerUser(): SocketCalls["peerUser"] {
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
/** struct pollfd: the descriptor, the requested events, the returned ones (4, 2 and 2 bytes). */
const POLLFD_BYTES = 8;

function loadPoll(): SocketCalls["endedSockets"] {
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
