/** Fixed limits of a server. */

/** The most streams that a client may have. */
export const MAX_STREAMS = 128;
/** Credit on each stream before it has its turn: enough for a few requests. */
export const FIRST_CREDIT_BYTES = 2 * 1024;
/** Bytes that may be under way on a stream that has its turn. */
export const MAX_WINDOW_BYTES = 4 * 1024 * 1024;
const MIN_WINDOW_BYTES = 64 * 1024;
export const HEARTBEAT_MS = 15_000;
/** Time for TLS, HELLO and the proof. */
export const HANDSHAKE_MS = 10_000;

/** The window of a stream, in bytes: at most what a limited rate moves in a second. */
export function windowFor(bytesPerSecond = MAX_WINDOW_BYTES): number {
  return Math.min(MAX_WINDOW_BYTES, Math.max(MIN_WINDOW_BYTES, bytesPerSecond));
}
