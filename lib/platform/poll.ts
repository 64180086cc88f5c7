import { dlopen, ptr } from "bun:ffi";
import { LINUX_LIBC } from "./c-library.ts";

export const POLLOUT = 0x4;
export const POLLERR = 0x8;
export const POLLHUP = 0x10;
export const POLLRDHUP = 0x2000;
/** struct pollfd: the descriptor, the requested events, the present ones (of 4, 2 and 2 bytes). */
const POLLFD_BYTES = 8;

/**
 * poll(2) without waiting: for each descriptor, those of `events` that are present, and errors. Linux only.
 *
 * @throws Error where the C library can't be called
 */
export function loadPoll(): (descriptors: readonly number[], events: number) => number[] {
  const { symbols } = dlopen(LINUX_LIBC, { poll: { args: ["ptr", "u64", "i32"], returns: "i32" } });
  return (descriptors, events) => {
    const asked = new DataView(new ArrayBuffer(descriptors.length * POLLFD_BYTES));
    descriptors.forEach((descriptor, index) => {
      asked.setInt32(index * POLLFD_BYTES, descriptor, true);
      asked.setInt16(index * POLLFD_BYTES + 4, events, true);
    });
    if (symbols.poll(ptr(asked), descriptors.length, 0) <= 0) return descriptors.map(() => 0);
    return descriptors.map((_, index) => asked.getInt16(index * POLLFD_BYTES + 6, true));
  };
}
