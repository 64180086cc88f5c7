export interface MemoryLimits {
  /** What all peers together may make the server keep, in bytes. */
  readonly bytes: number;
  /** What one session may. */
  readonly sessionBytes: number;
  /**
   * What each session may have of all of `bytes`. What it takes beyond that comes out of the first half of them, so that
   * those with much leave room for those with nothing.
   */
  readonly firstBytes: number;
}

const MIB = 1024 * 1024;

/** A put in full, and three more that make do with little. */
const SESSION_BYTES = 20 * MIB;
/** One of those. */
const FIRST_BYTES = 2.75 * MIB;

/** How a budget of `bytes` is shared out. */
export function memoryLimits(bytes: number): MemoryLimits {
  return { bytes, sessionBytes: Math.min(SESSION_BYTES, bytes), firstBytes: FIRST_BYTES };
}
