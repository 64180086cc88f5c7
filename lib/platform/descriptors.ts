import { readdirSync } from "node:fs";
import { processLimit } from "./process-limits.ts";

/**
 * How many descriptors this process may have open at once; undefined if the system has no such limit, or does not
 * report it. Bun raises its own limit to the maximum before our code runs.
 */
export function descriptorLimit(): number | undefined {
  if (process.platform === "win32") return undefined;
  const limit = Number(processLimit("Max open files") ?? limitOfReport());
  return Number.isSafeInteger(limit) ? limit : undefined;
}

/** The number of open descriptors; undefined if the system does not report it. */
export function openDescriptors(): number | undefined {
  for (const folder of ["/proc/self/fd", "/dev/fd"]) {
    try {
      // Not counting the one that reads the folder.
      return readdirSync(folder).length - 1;
    } catch {
      // missing or unreadable: try the next one
    }
  }
  return undefined;
}

/** Bun's report, on all systems: a number, or "unlimited". */
function limitOfReport(): unknown {
  const report = process.report?.getReport() as { userLimits?: { open_files?: { soft?: unknown } } } | undefined;
  return report?.userLimits?.open_files?.soft;
}
