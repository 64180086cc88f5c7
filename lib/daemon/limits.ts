/** Limits of a server that no setting changes. */

/** Streams that a client may have. */
export const MAX_STREAMS = 128;
/** Its credit on each of them before the stream has its turn: enough for a few requests. */
export const FIRST_CREDIT_BYTES = 2 * 1024;
/** What may be under way on a stream that has its turn. */
export const MAX_WINDOW_BYTES = 4 * 1024 * 1024;
const MIN_WINDOW_BYTES = 64 * 1024;
export const HEARTBEAT_MS = 15_000;
/** Time for TLS, HELLO and the proof. */
export const HANDSHAKE_MS = 10_000;

/** No more under way than a second's worth of a limited rate. */
export function windowFor(bytesPerSecond = MAX_WINDOW_BYTES): number {
  return Math.min(MAX_WINDOW_BYTES, Math.max(MIN_WINDOW_BYTES, bytesPerSecond));
}
