export interface MemoryLimits {
  /** The most bytes that all peers together may make the server keep. */
  readonly bytes: number;
  /** The most for one session. */
  readonly sessionBytes: number;
  /**
   * What a session may take as long as any of `bytes` is free. Beyond that it may take only while less than half of
   * `bytes` is used, so that sessions with much leave room for those with nothing.
   */
  readonly firstBytes: number;
}

const MIB = 1024 * 1024;

/** One put at full size, and three at their least. */
const SESSION_BYTES = 20 * MIB;
/** One put at its least. */
const FIRST_BYTES = 2.75 * MIB;

/** The limits of a budget of `bytes`. */
export function memoryLimits(bytes: number): MemoryLimits {
  return { bytes, sessionBytes: Math.min(SESSION_BYTES, bytes), firstBytes: FIRST_BYTES };
}
