import { readFileSync } from "node:fs";
import { totalmem } from "node:os";

const MIB = 1024 * 1024;

const SHARE = 1 / 16;
const MIN_BYTES = 64 * MIB;
export const MAX_BYTES = 128 * MIB;

/** Where Linux tells what the processes of this one's group may have: of cgroups, version 2 and 1. */
const GROUP_LIMITS = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

/** What peers may make the server keep in memory by default: a sixteenth of what there is. @returns bytes */
export function defaultMemory(bytes = memoryOfGroup() ?? totalmem()): number {
  return Math.round(Math.min(MAX_BYTES, Math.max(MIN_BYTES, Math.min(bytes, totalmem()) * SHARE)));
}

/** undefined where there is no limit but the machine's. */
function memoryOfGroup(): number | undefined {
  for (const file of GROUP_LIMITS) {
    try {
      const bytes = Number(readFileSync(file, "latin1"));
      if (bytes > 0) return bytes;
    } catch {
      // another system, or the other version
    }
  }
  return undefined;
}
