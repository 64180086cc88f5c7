import { isRunning, type ProcessMark, thisProcess } from "../../../platform/process-mark.ts";

/** The holder of a lock folder, as in the name of the one file in it. No two holders ever have the same name. */
export interface LockOwner extends ProcessMark {
  /** The file on which it also holds flock(2): device and inode, hexadecimal; "0" if none. */
  readonly flockedOn: string;
  readonly random: string;
}

/** The asking process's knowledge of the disk. */
export interface LockGround {
  /** As LockOwner.flockedOn, for the asking process. */
  readonly flockedOn: string;
  /** True when the system says that the disk is in this machine; it may still be shared with others. */
  readonly isOwnDisk: boolean;
}

/** A holder on another machine counts as dead when it has not written for this long. */
export const LEASE_MS = 120_000;

export function newOwner({ flockedOn }: LockGround): LockOwner {
  return { ...thisProcess(), flockedOn, random: crypto.randomUUID().slice(0, 8) };
}

export function formatOwner({ pid, start, machine, boot, space, flockedOn, random }: LockOwner): string {
  return [pid, start, machine, boot, space, flockedOn, random].join(".");
}

/** undefined for other names, perhaps of a later version. */
export function parseOwner(name: string): LockOwner | undefined {
  const found = /^(\d+)\.(\d+)\.([0-9a-f]{16})\.([0-9a-f]{16})\.(\d+)\.([0-9a-f-]+)\.([0-9a-f]+)$/.exec(name);
  if (found === null) return undefined;
  const [pid = "", start = "", machine = "", boot = "", space = "", flockedOn = "", random = ""] = found.slice(1);
  return { pid: Number(pid), start, machine, boot, space, flockedOn, random };
}

/** Whether the holder is alive. `idleMs`: time since its last write, by the disk's clock. */
export function isLive(owner: LockOwner | undefined, ground: LockGround, idleMs: number): boolean {
  // A clock that was set back must not keep a dead holder's lock for ever.
  const isRecent = Math.abs(idleMs) < LEASE_MS;
  if (owner === undefined) return isRecent;
  const here = thisProcess();
  if (owner.boot !== here.boot) return isRecent && !(ground.isOwnDisk && owner.machine === here.machine);
  // It had flock(2) on the file on which we have it now: so the system has freed its lock.
  if (owner.flockedOn !== "0" && owner.flockedOn === ground.flockedOn) return false;
  if (owner.space !== here.space) return isRecent;
  return isRunning(owner) ?? isRecent;
}
