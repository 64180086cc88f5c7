import { CommError } from "../errors.ts";

/** How long a command may take to clean up after Ctrl-C: a server that does not answer can't delay the user for longer. */
export const CLEAN_UP_MS = 500;

/**
 * The result of `work`, which continues even when nobody waits for it any more.
 *
 * @param graceMs how long work may take to end by itself after the abort
 * @throws CommError INTERRUPTED when `signal` aborts first
 */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal, graceMs = 0): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const interrupt = () => aborted.reject(new CommError("INTERRUPTED", "Interrupted."));
  const onAbort = () => {
    if (graceMs === 0) interrupt();
    else timer = setTimeout(interrupt, graceMs);
  };
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
