import { dlopen, ptr } from "bun:ffi";
import { LINUX_LIBC, onLinux } from "./c-library.ts";

/** A pipe that has room takes that many bytes at once, in one piece: PIPE_BUF of Linux, pipe(7). */
export const PIPE_BYTES = 4096;

const POLLOUT = 0x4;
/** struct pollfd: the descriptor, what is asked for, what is so (of 4, 2 and 2 bytes). */
const POLLFD_BYTES = 8;

let loaded: { readonly hasRoom: ((pipe: number) => boolean) | undefined } | undefined;

/**
 * Whether a pipe takes PIPE_BYTES now, so that a write of no more does not block. False where nobody reads any more,
 * and where the system can't say: elsewhere than on Linux, and as Libc says.
 */
export function hasRoom(pipe: number): boolean {
  loaded ??= { hasRoom: onLinux(loadPoll) };
  return loaded.hasRoom?.(pipe) ?? false;
}

function loadPoll(): (pipe: number) => boolean {
  const { symbols } = dlopen(LINUX_LIBC, { poll: { args: ["ptr", "u64", "i32"], returns: "i32" } });
  const asked = new DataView(new ArrayBuffer(POLLFD_BYTES));
  const at = ptr(asked);
  return (pipe) => {
    asked.setInt32(0, pipe, true);
    asked.setInt16(4, POLLOUT, true);
    return symbols.poll(at, 1, 0) === 1 && asked.getInt16(6, true) === POLLOUT;
  };
}
