import fs, { type BigIntStats, type Stats } from "node:fs";

/** Whether files of this system say who may do what with them, in nine bits. */
export const HAS_MODES = process.platform !== "win32";

/** A new file that nobody says more of, and a new folder; the umask takes away of that, and of any other. */
const FILE_MODE = 0o666;
const FOLDER_MODE = 0o777;
/** What the owner needs: of a file that comes, and of a folder that is filled. */
export const OWN_FILE = 0o600;
const OWN_FOLDER = 0o700;

/** As FileFacts.mode. */
export function modeOf(stats: BigIntStats): number | undefined {
  return HAS_MODES ? Number(stats.mode & 0o777n) : undefined;
}

/** With what a file is made whose source has this mode. */
export function fileMode(mode: number | undefined): number {
  return HAS_MODES && mode !== undefined ? mode : FILE_MODE;
}

/** With what a folder is made whose source has this mode. */
export function folderMode(mode: number | undefined): number {
  return HAS_MODES && mode !== undefined ? mode | OWN_FOLDER : FOLDER_MODE;
}

/** Whether the system gave more than was asked for with `mode`: then its disk has rights of its own, and keeps no others. */
export function isWider(stats: Stats, mode: number): boolean {
  return !HAS_MODES || (stats.mode & 0o777 & ~mode) !== 0;
}

/**
 * Take from an open file what is not in `mode`. What the umask took away at its making stays away, so nobody need ask
 * for the umask.
 *
 * @throws the system's error
 */
export function narrow(fd: number, mode: number): void {
  const now = fs.fstatSync(fd).mode & 0o777;
  if ((now & ~mode) !== 0) fs.fchmodSync(fd, now & mode);
}

/** As narrow(), where the system allows it: a disk may have rights of its own. */
export function tryNarrow(fd: number, mode: number): void {
  try {
    narrow(fd, mode);
  } catch {
    // then it is as open as it was
  }
}

/** Let those run an open file who may read it. @throws the system's error */
export function makeExecutable(fd: number): void {
  if (!HAS_MODES) return;
  const { mode } = fs.fstatSync(fd);
  fs.fchmodSync(fd, mode | ((mode & 0o444) >> 2));
}

/**
 * What is left of `mode` when its group is another: that group gets no more than all others do, and who was in the
 * old one is one of all others now, and gets no more than before.
 */
export function withoutGroup(mode: number): number {
  const both = (mode >> 3) & mode & 0o7;
  return (mode & 0o700) | (both << 3) | both;
}
