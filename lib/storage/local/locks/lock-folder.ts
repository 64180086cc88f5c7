import fs from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../../../errno.ts";
import { formatOwner, isLive, LEASE_MS, type LockGround, newOwner, parseOwner } from "./lock-owner.ts";

/** How often a holder shows other machines that it is alive. */
const REFRESH_MS = LEASE_MS / 4;
/** A holder writes this to show that it is alive: only the time of the write matters. */
const SIGN = ".";
/** Others may take and release the lock between two tries; each time, somebody makes progress. */
const MAX_TRIES = 16;

const held = new Set<LockFolder>();
let refreshing: ReturnType<typeof setInterval> | undefined;

/**
 * A lock that every disk supports: a folder that is never empty while it is held; the file in it is named after the
 * holder. It is created beside its place and renamed into it, which fails while a folder that is not empty is there. A
 * dead holder's file is removed by its unique name, so that nobody removes a lock that another has taken meanwhile; a
 * lock file with a fixed name could not be taken over safely.
 */
export class LockFolder {
  readonly #place: string;
  readonly #own: string;
  /**
   * When the lock was last known to be ours, in milliseconds since 1970: this clock also runs while the machine sleeps.
   */
  #seenAt = Date.now();

  private constructor(place: string, own: string) {
    this.#place = place;
    this.#own = own;
    held.add(this);
    refreshing ??= setInterval(refreshAll, REFRESH_MS).unref();
  }

  /**
   * Take the lock at `place`. `aside` is a place beside it that nobody else uses.
   *
   * @returns undefined when another holds it
   * @throws the system's error
   */
  static take(place: string, aside: string, ground: LockGround): LockFolder | undefined {
    const own = formatOwner(newOwner(ground));
    fs.mkdirSync(aside);
    try {
      fs.closeSync(fs.openSync(join(aside, own), "wx", 0o666));
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        if (moveInto(place, aside)) return new LockFolder(place, join(place, own));
        // By the disk's clock, which differs from ours on a network.
        if (!sweep(place, ground, fs.statSync(join(aside, own)).mtimeMs)) break;
        // An empty folder is not a lock, but not every system can rename over it.
        removeEmpty(place);
      }
    } catch (error) {
      drop(aside, own);
      throw error;
    }
    drop(aside, own);
    return undefined;
  }

  /** False when another process has taken it: this one was stopped for too long, or somebody removed the lock. */
  get isHeld(): boolean {
    return Date.now() - this.#seenAt < REFRESH_MS || this.show();
  }

  release(): void {
    held.delete(this);
    if (held.size === 0) {
      clearInterval(refreshing);
      refreshing = undefined;
    }
    fs.rmSync(this.#own, { force: true });
    removeEmpty(this.#place);
  }

  /** Show others that the lock is held. @returns false when it is no longer ours */
  show(): boolean {
    try {
      const fd = fs.openSync(this.#own, "r+");
      try {
        // A write, not utimes(): the time must come from the disk.
        fs.writeSync(fd, SIGN, 0);
      } finally {
        fs.closeSync(fd);
      }
      this.#seenAt = Date.now();
      return true;
    } catch (cause) {
      // While the network is down for a moment, nobody else can have taken the lock.
      return errnoOf(cause) !== "ENOENT" && Date.now() - this.#seenAt < LEASE_MS;
    }
  }
}

function refreshAll(): void {
  for (const lock of held) lock.show();
}

/** Errors of systems when the new name of a folder is taken; sshfs and Windows have no specific code for it. */
const TAKEN = ["ENOTEMPTY", "EEXIST", "ENOTDIR", "EPERM"];

/** False when something is at `place`. @throws the system's error */
function moveInto(place: string, aside: string): boolean {
  try {
    fs.renameSync(aside, place);
    return true;
  } catch (cause) {
    if (TAKEN.includes(errnoOf(cause)) || fs.existsSync(place)) return false;
    throw cause;
  }
}

/** Remove the files of dead holders. @returns false when a holder is alive */
function sweep(place: string, ground: LockGround, now: number): boolean {
  if (!fs.lstatSync(place, { throwIfNoEntry: false })?.isDirectory()) return !fs.existsSync(place);
  for (const name of namesIn(place)) {
    const shown = fs.lstatSync(join(place, name), { throwIfNoEntry: false });
    if (shown === undefined) continue;
    if (isLive(parseOwner(name), ground, now - shown.mtimeMs)) return false;
    fs.rmSync(join(place, name), { force: true });
  }
  return true;
}

function namesIn(place: string): string[] {
  try {
    return fs.readdirSync(place);
  } catch (cause) {
    if (errnoOf(cause) === "ENOENT") return [];
    throw cause;
  }
}

function drop(aside: string, own: string): void {
  fs.rmSync(join(aside, own), { force: true });
  removeEmpty(aside);
}

function removeEmpty(place: string): void {
  try {
    fs.rmdirSync(place);
  } catch {
    // It is not empty, or does not exist.
  }
}
