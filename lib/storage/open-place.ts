import fs, { type BigIntStats } from "node:fs";

/** Refers to what is there without the right to read it, and does nothing to it (open(2), Linux). */
export const O_PATH = 0o10000000;

/** Whether the system tells the path of what is open; only Linux does. */
export const HAS_PROC = process.platform === "linux" && fs.existsSync("/proc/self/fd");

/** A path for the system by which the open `fd` is reached; reading the link gives its real path. Where HAS_PROC. */
export function procPath(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

/**
 * The facts of what is at `place`, links followed. `check` gets the real path of that very thing, whatever names are
 * swapped meanwhile, and may throw; where the system does not tell it, the one that it had a moment before.
 *
 * @throws the system's error
 */
export function factsAt(place: string, check: (real: string) => void): BigIntStats {
  if (!HAS_PROC) {
    const real = fs.realpathSync.native(place);
    check(real);
    return fs.lstatSync(real, { bigint: true });
  }
  const fd = fs.openSync(place, O_PATH);
  try {
    check(fs.readlinkSync(procPath(fd)));
    return fs.fstatSync(fd, { bigint: true });
  } finally {
    fs.closeSync(fd);
  }
}
