import { readdirSync } from "node:fs";
import { processLimit } from "./process-limits.ts";

/**
 * How many descriptors this process may have open at once; undefined where the system has no such limit, or does not tell
 * it. Bun raises its own limit to the highest that it may have, before a line of ours runs.
 */
export function descriptorLimit(): number | undefined {
  if (process.platform === "win32") return undefined;
  const limit = Number(processLimit("Max open files") ?? limitOfReport());
  return Number.isSafeInteger(limit) ? limit : undefined;
}

/** Descriptors that are open now; undefined where that can't be told. */
export function openDescriptors(): number | undefined {
  for (const folder of ["/proc/self/fd", "/dev/fd"]) {
    try {
      // Less the one by which the folder is read.
      return readdirSync(folder).length - 1;
    } catch {
      // not there, or not readable: the next one
    }
  }
  return undefined;
}

/** Everywhere, as far as Bun tells it: a number, or "unlimited". */
function limitOfReport(): unknown {
  const report = process.report?.getReport() as { userLimits?: { open_files?: { soft?: unknown } } } | undefined;
  return report?.userLimits?.open_files?.soft;
}
