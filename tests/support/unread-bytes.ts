import { dlopen, ptr } from "bun:ffi";

const FIONREAD = 0x541b;

let libc: ReturnType<typeof dlopen<{ ioctl: { args: ["i32", "u64", "ptr"]; returns: "i32" } }>> | undefined;

/**
 * The number of bytes that have arrived at the socket `fd` and that its process has not read yet; undefined on systems
 * other than Linux.
 */
export function unreadBytes(fd: number): number | undefined {
  if (process.platform !== "linux") return undefined;
  libc ??= dlopen("libc.so.6", { ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" } });
  const count = new Int32Array(1);
  if (libc.symbols.ioctl(fd, FIONREAD, ptr(count)) !== 0) throw new Error(`ioctl() failed for descriptor ${fd}`);
  return count[0];
}
