import fs from "node:fs";

/** Opens without read permission, and without side effects (open(2), Linux). */
export const O_PATH = 0o10000000;

/** Whether the system has paths for open files; only Linux does. */
export const HAS_PROC = process.platform === "linux" && fs.existsSync("/proc/self/fd");

/** A path that leads to the open `fd`; reading the link gives its real path. Only if HAS_PROC. */
export function procPath(fd: number): string {
  return `/proc/self/fd/${fd}`;
}
