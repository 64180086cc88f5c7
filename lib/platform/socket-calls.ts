import { dlopen, ptr } from "bun:ffi";
import { LINUX_LIBC, onLinux } from "./c-library.ts";
import { loadPoll, POLLERR, POLLHUP, POLLRDHUP } from "./poll.ts";

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
    endedSockets: onLinux(loadEndedSockets),
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

function loadEndedSockets(): SocketCalls["endedSockets"] {
  const poll = loadPoll();
  return (sockets) => {
    const present = poll(sockets, POLLRDHUP);
    return [...sockets.keys()].filter((index) => ((present[index] ?? 0) & (POLLRDHUP | POLLHUP | POLLERR)) !== 0);
  };
}
