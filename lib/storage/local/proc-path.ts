import fs from "node:fs";

/** Refers to what is there without the right to read it, and does nothing to it (open(2), Linux). */
export const O_PATH = 0o10000000;

/** Whether the system tells the path of what is open; only Linux does. */
export const HAS_PROC = process.platform === "linux" && fs.existsSync("/proc/self/fd");

/** A path for the system by which the open `fd` is reached; reading the link gives its real path. Where HAS_PROC. */
export function procPath(fd: number): string {
  return `/proc/self/fd/${fd}`;
}
