import fs, { type Stats } from "node:fs";

/** Whether files of this system have permissions in nine bits. */
export const HAS_MODES = process.platform !== "win32";

/** The mode of a new file or folder by default; the umask applies to this and to any other mode. */
const FILE_MODE = 0o666;
const FOLDER_MODE = 0o777;
/** The permissions that the owner needs: for a file while it arrives, for a folder while it is filled. */
export const OWN_FILE = 0o600;
const OWN_FOLDER = 0o700;

/** As FileFacts.mode. */
export function modeOf(mode: number): number | undefined {
  return HAS_MODES ? mode & 0o777 : undefined;
}

/** The mode for a new file whose source has this one. */
export function fileMode(mode: number | undefined): number {
  return HAS_MODES && mode !== undefined ? mode : FILE_MODE;
}

/** The mode for a new folder whose source has this one. */
export function folderMode(mode: number | undefined): number {
  return HAS_MODES && mode !== undefined ? mode | OWN_FOLDER : FOLDER_MODE;
}

/** Whether the system gave more than `mode`: then the disk sets its own permissions, and keeps no others. */
export function isWider(stats: Stats, mode: number): boolean {
  return !HAS_MODES || (stats.mode & 0o777 & ~mode) !== 0;
}

/**
 * Remove the permissions from an open file that are not in `mode`. What the umask has removed stays removed, so nobody
 * needs to know the umask.
 *
 * @throws the system's error
 */
export function narrow(fd: number, mode: number): void {
  const now = fs.fstatSync(fd).mode & 0o777;
  if ((now & ~mode) !== 0) fs.fchmodSync(fd, now & mode);
}

/** As narrow(), if the system allows it: a disk may set its own permissions. */
export function tryNarrow(fd: number, mode: number): void {
  try {
    narrow(fd, mode);
  } catch {
    // its permissions stay as they were
  }
}

/** Allow everybody who may read an open file to execute it. @throws the system's error */
export function makeExecutable(fd: number): void {
  if (!HAS_MODES) return;
  const { mode } = fs.fstatSync(fd);
  fs.fchmodSync(fd, mode | ((mode & 0o444) >> 2));
}

/**
 * The part of `mode` that remains when the group changes: the new group gets no more than all others, and members of
 * the old group, who are now among all others, get no more than before.
 */
export function withoutGroup(mode: number): number {
  const both = (mode >> 3) & mode & 0o7;
  return (mode & 0o700) | (both << 3) | both;
}
