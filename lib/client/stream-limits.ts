import type { RateLimits } from "../session/rate-limit.ts";
import type { StreamLimits } from "../session/session-options.ts";

/** Credit and streams that a client gives the server: four megabytes keep a fast link busy. */
const LIMITS: StreamLimits = { credit: 4 * 1024 * 1024, maxStreams: 128 };
/** With less credit, the server would wait too often for the link's round trip. */
const MIN_CREDIT = 64 * 1024;

/** The server may send its credit at once, whatever the rate, so a slow client gives less. */
export function limitsFor(rateLimit: RateLimits | undefined): StreamLimits {
  const atOnce = rateLimit?.in?.frameBytes ?? LIMITS.credit;
  return { ...LIMITS, credit: Math.min(LIMITS.credit, Math.max(MIN_CREDIT, atOnce)) };
}
