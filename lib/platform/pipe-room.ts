import { onLinux } from "./c-library.ts";
import { loadPoll, POLLOUT } from "./poll.ts";

/** A pipe that has room takes that many bytes at once, in one piece: PIPE_BUF of Linux, pipe(7). */
export const PIPE_BYTES = 4096;

let loaded: { readonly poll: ReturnType<typeof loadPoll> | undefined } | undefined;

/**
 * Whether a pipe takes PIPE_BYTES now, so that a write of no more does not block. False where nobody reads any more,
 * and where the system can't say: elsewhere than on Linux, and as Libc says.
 */
export function hasRoom(pipe: number): boolean {
  loaded ??= { poll: onLinux(loadPoll) };
  return loaded.poll?.([pipe], POLLOUT)[0] === POLLOUT;
}
