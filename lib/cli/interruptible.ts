import { CommError } from "../errors.ts";
import { onSignals } from "./terminal/signals.ts";

/** How long a command may take to end after Ctrl-C. */
const CLEAN_UP_MS = 500;

/**
 * Run `work` with a signal that aborts at Ctrl-C, SIGTERM, a hangup or SIGQUIT; a second one ends the program at once.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupt = new AbortController();
  const offSignals = onSignals(["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"], () => {
    offSignals(); // the next one ends the program by itself
    interrupt.abort();
  });
  try {
    return await work(interrupt.signal);
  } finally {
    offSignals();
  }
}

/**
 * The result of `work`, or INTERRUPTED when `signal` aborts first. Work then has a moment to clean up, but a server
 * that does not answer can't delay the user for longer.
 */
export async function raceAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const onAbort = () => {
    timer = setTimeout(() => aborted.reject(new CommError("INTERRUPTED", "Interrupted.")), CLEAN_UP_MS);
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
