import { basename, dirname, join } from "node:path";
import { storageFault } from "../../../storage-faults.ts";
import { isOwnDisk } from "../disk-kind.ts";
import { namingLock, uniqueLockName } from "../names/part-names.ts";
import { LockFolder } from "./lock-folder.ts";

/**
 * How long to wait: holders need only a few system calls. A holder that died meanwhile is detected, on another machine
 * after a while.
 */
const PATIENCE_MS = 1_000;

/**
 * Do `work` while no other CommServer program creates anything at `path`.
 *
 * @throws StorageError BUSY when others hold the lock all the time; what `work` throws; the system's error
 */
export function withNameLock<T>(path: string, work: () => T): T {
  const lock = take(dirname(path), basename(path));
  try {
    return work();
  } finally {
    lock.release();
  }
}

function take(folder: string, name: string): LockFolder {
  const ground = { flockedOn: "0", isOwnDisk: isOwnDisk(folder) };
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const lock = LockFolder.take(join(folder, namingLock(name)), join(folder, uniqueLockName(name)), ground);
    if (lock !== undefined) return lock;
    if (performance.now() >= until) throw storageFault.nameInUse(name);
    Bun.sleepSync(1);
  }
}
