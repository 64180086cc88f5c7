import { readFileSync } from "node:fs";
import { constants } from "node:os";

/** Signals that were ignored when the program began, as bits; read before anything listens to one. */
const IGNORED = readIgnored();

/**
 * Call `handler` for each of `signals`, but for those that were ignored when the program began: `nohup`, and shells that
 * put a job in the background, mean that it stays so.
 *
 * @returns the function that ends it
 */
export function onSignals(signals: readonly NodeJS.Signals[], handler: (signal: NodeJS.Signals) => void): () => void {
  const heard = signals.filter((signal) => !wasIgnored(signal));
  for (const signal of heard) process.on(signal, handler);
  return () => {
    for (const signal of heard) process.off(signal, handler);
  };
}

/** Whether this one was ignored when the program began. */
export function wasIgnored(signal: NodeJS.Signals): boolean {
  return (IGNORED & (1n << BigInt(constants.signals[signal] - 1))) !== 0n;
}

/** Source: proc(5). Where there is no such file nothing is known, and nothing taken for ignored. */
function readIgnored(): bigint {
  try {
    const [, mask] = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    return BigInt(`0x${mask ?? "0"}`);
  } catch {
    return 0n;
  }
}
