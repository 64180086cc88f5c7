import { libc } from "../../platform/libc.ts";

/** A system call that takes longer may have waited for a disk. */
const SLOW_MS = 0.5;

/**
 * Finds out which calls to the disk wait for it, in a run of calls that stop the event loop: then the next ones belong
 * on other threads.
 */
export class TimedCalls {
  #endedAt = performance.now();
  #waits = libc().waits?.();

  /**
   * Whether the work since the last question has waited. On a busy machine much takes long because others have the
   * processor: where the system tells the two apart, that does not count.
   */
  hasWaited(): boolean {
    const now = performance.now();
    const isSlow = now - this.#endedAt >= SLOW_MS;
    this.#endedAt = now;
    if (!isSlow) return false;
    const waits = libc().waits?.();
    const hasWaited = waits === undefined || waits !== this.#waits;
    this.#waits = waits;
    return hasWaited;
  }
}
