import { readdirSync } from "node:fs";
import { processLimit } from "./process-limits.ts";

/**
 * How many descriptors this process may have open at once; undefined where the system has no such limit, or does not
 * report it. Bun raises its own limit to the highest allowed before our code runs.
 */
export function descriptorLimit(): number | undefined {
  if (process.platform === "win32") return undefined;
  const limit = Number(processLimit("Max open files") ?? limitOfReport());
  return Number.isSafeInteger(limit) ? limit : undefined;
}

/** Descriptors that are open now; undefined where the system does not report them. */
export function openDescriptors(): number | undefined {
  for (const folder of ["/proc/self/fd", "/dev/fd"]) {
    try {
      // Without the one that reads the folder.
      return readdirSync(folder).length - 1;
    } catch {
      // not there, or not readable: the next one
    }
  }
  return undefined;
}

/** On all systems, where Bun reports it: a number, or "unlimited". */
function limitOfReport(): unknown {
  const report = process.report?.getReport() as { userLimits?: { open_files?: { soft?: unknown } } } | undefined;
  return report?.userLimits?.open_files?.soft;
}
