export interface MemoryLimits {
  /** The most memory that all peers together may use, in bytes. */
  readonly bytes: number;
  /** The most for one session. */
  readonly sessionBytes: number;
  /**
   * The memory that a session may take as long as any of `bytes` is free. It may take more only while less than half of
   * `bytes` is used, so that large sessions leave room for new ones.
   */
  readonly firstBytes: number;
}

const MIB = 1024 * 1024;

/** One put at its largest size, and three at their smallest. */
const SESSION_BYTES = 20 * MIB;
/** One put at its smallest size. */
const FIRST_BYTES = 2.75 * MIB;

/** The limits of a budget of `bytes`. */
export function memoryLimits(bytes: number): MemoryLimits {
  return { bytes, sessionBytes: Math.min(SESSION_BYTES, bytes), firstBytes: FIRST_BYTES };
}
