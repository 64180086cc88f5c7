import fs from "node:fs";
import { errnoOf } from "../../../errno.ts";
import { libc } from "../../../platform/libc.ts";
import { storageFault } from "../../../storage-faults.ts";
import { isOwnDisk } from "../disk-kind.ts";
import { siblingNames, uniqueLockName } from "../names/part-names.ts";
import type { OpenFolder } from "../open-folder.ts";
import { OWN_FILE } from "../rights.ts";
import { LockFolder } from "./lock-folder.ts";
import { hasFlock } from "./lock-probe.ts";

const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = fs.constants;

/** Journals that are open in this process, by device and inode: those of all storages, through any mount. */
const open = new Set<string>();

/**
 * The exclusive right to an unfinished file, tied to its journal. It takes three locks, because none is enough alone: a
 * list in this process; flock(2), which the system frees however a process ends, but which is missing on some systems
 * and not shared between network mounts; and a LockFolder, which everybody sees, but whose holder may be dead without
 * anybody knowing.
 */
export class JournalLock {
  /** The journal, open for reading and writing. */
  readonly fd: number;
  readonly #key: string;
  readonly #folder: LockFolder | undefined;

  private constructor(fd: number, key: string, folder: LockFolder | undefined) {
    this.fd = fd;
    this.#key = key;
    this.#folder = folder;
  }

  /**
   * Open or create the journal `name`, for this opener alone, with the permissions of `mode` or fewer.
   *
   * @throws StorageError BUSY; the system's error
   */
  static take(folder: OpenFolder, name: string, mode: number): JournalLock {
    for (;;) {
      const lock = JournalLock.#open(folder, name, O_CREAT, mode);
      if (lock === undefined) throw storageFault.lockLost();
      if (lock !== "gone") return lock;
    }
  }

  /** As take(), for an existing journal. @returns "gone" when there is none, undefined when another may have it */
  static takeExisting(folder: OpenFolder, name: string): JournalLock | "gone" | undefined {
    try {
      return JournalLock.#open(folder, name, 0, OWN_FILE);
    } catch (cause) {
      if (["ENOENT", "ELOOP", "EISDIR"].includes(errnoOf(cause))) return "gone";
      // It belongs to another user, who may have it open.
      if (["EACCES", "EPERM"].includes(errnoOf(cause))) return undefined;
      throw cause;
    }
  }

  static #open(folder: OpenFolder, name: string, create: number, mode: number): JournalLock | "gone" | undefined {
    const path = folder.at(name);
    const fd = fs.openSync(path, O_RDWR | create | O_NOFOLLOW | O_NONBLOCK, mode);
    const facts = fs.fstatSync(fd, { bigint: true });
    const key = `${facts.dev.toString(16)}-${facts.ino.toString(16)}`;
    let lock: JournalLock | undefined;
    try {
      if (open.has(key)) return undefined;
      const others = lockForOthers(folder, name, fd, key);
      if (others === undefined) return undefined;
      lock = new JournalLock(fd, key, others.folder);
      open.add(key);
    } catch (error) {
      // No room for the rest of the lock: remove the empty journal, unless another process has just locked it.
      const isFree = libc().tryLock?.(fd) !== false;
      if (create !== 0 && facts.size === 0n && isFree) fs.rmSync(path, { force: true });
      throw error;
    } finally {
      if (lock === undefined) fs.closeSync(fd);
    }
    // Its holder may have removed it between our open and our lock.
    const named = fs.lstatSync(path, { throwIfNoEntry: false, bigint: true });
    if (named?.ino === facts.ino) return lock;
    lock.release();
    return "gone";
  }

  /** @throws StorageError BUSY when another process has taken it, since this one was stopped for too long */
  requireHeld(): void {
    if (this.#folder?.isHeld === false) throw storageFault.lockLost();
  }

  /** Closes the journal. */
  release(): void {
    open.delete(this.#key);
    fs.closeSync(this.fd);
    this.#folder?.release();
  }
}

/** Keep other processes out. @returns undefined when another process has it @throws the system's error */
function lockForOthers(
  folder: OpenFolder,
  name: string,
  fd: number,
  key: string,
): { folder: LockFolder | undefined } | undefined {
  const flock = tryFlock(folder, name, fd);
  if (flock === "taken") return undefined;
  const place = folder.at(siblingNames(name).lock);
  // The disk of the folder, and not of the journal, which its last holder may have just removed.
  const ground = { flockedOn: flock === "held" ? key : "0", isOwnDisk: isOwnDisk(folder.at(".")) };
  try {
    const lock = LockFolder.take(place, folder.at(uniqueLockName(name)), ground);
    return lock && { folder: lock };
  } catch (cause) {
    // A full disk has no room for a folder, but unfinished files must be removable.
    if (flock === "held" && !fs.existsSync(place)) return { folder: undefined };
    throw cause;
  }
}

/** @throws the system's error */
function tryFlock(folder: OpenFolder, name: string, fd: number): "held" | "taken" | "none" {
  const { tryLock } = libc();
  if (tryLock === undefined) return "none";
  if (tryLock(fd)) return "held";
  return hasFlock(folder, name) ? "taken" : "none";
}
