import { readFileSync } from "node:fs";
import { constants } from "node:os";

/** Signals that were ignored when the program began, as bits; read before anything listens to one. */
const IGNORED = readIgnored();

/**
 * Call `handler` for each of `signals`, except those that were ignored when the program began: `nohup`, and shells that
 * put a job in the background, want them to stay ignored.
 *
 * @returns a function that removes the handler
 */
export function onSignals(signals: readonly NodeJS.Signals[], handler: (signal: NodeJS.Signals) => void): () => void {
  const heard = signals.filter((signal) => !wasIgnored(signal));
  for (const signal of heard) process.on(signal, handler);
  return () => {
    for (const signal of heard) process.off(signal, handler);
  };
}

/** True when the signal was ignored when the program began. */
export function wasIgnored(signal: NodeJS.Signals): boolean {
  return (IGNORED & (1n << BigInt(constants.signals[signal] - 1))) !== 0n;
}

/** Source: proc(5). Without that file no signal counts as ignored. */
function readIgnored(): bigint {
  try {
    const [, mask] = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    return BigInt(`0x${mask ?? "0"}`);
  } catch {
    return 0n;
  }
}
