import { libc } from "../../../platform/libc.ts";
import { discardFile } from "../discard-file.ts";
import { uniquePartName } from "../names/part-names.ts";
import { OpenFolder } from "../open-folder.ts";
import { OWN_FILE } from "../rights.ts";

/**
 * Whether flock(2) works in this folder: a failure with ENOSYS, ENOLCK or EPERM does not mean that another process has
 * the file. It tries a file that nobody else can have, and does not look at errno, which other work of the runtime may
 * have changed meanwhile.
 *
 * @throws the system's error when no such file can be created
 */
export function hasFlock(folder: OpenFolder, name: string): boolean {
  const { tryLock } = libc();
  if (tryLock === undefined) return false;
  const probe = uniquePartName(name);
  const fd = folder.create(probe, OWN_FILE);
  try {
    return tryLock(fd);
  } finally {
    discardFile(fd, folder.at(probe));
  }
}

/** Why there are no file locks: because of the system, the program, or the disk. */
export type LockFault = "windows" | "no calls" | "disk";

/** Why there are no file locks in this folder, against other programs that write into it; undefined if there are. */
export function lockFault(path: string): LockFault | undefined {
  if (process.platform === "win32") return "windows";
  if (libc().tryLock === undefined) return "no calls";
  const folder = OpenFolder.open(path);
  try {
    return hasFlock(folder, "locks") ? undefined : "disk";
  } catch {
    return undefined; // nothing can be created here, so nothing is known
  } finally {
    folder.release();
  }
}
