import { onSignals } from "./terminal/signals.ts";

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
