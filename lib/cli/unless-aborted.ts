import { CommError } from "../errors.ts";

/**
 * The result of `work`, which continues even when nobody waits for it any more.
 *
 * @throws CommError INTERRUPTED when `signal` aborts first
 */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(new CommError("INTERRUPTED", "Interrupted."));
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
