import { readFileSync } from "node:fs";
import { totalmem } from "node:os";

const MIB = 1024 * 1024;

const SHARE = 1 / 16;
const MIN_BYTES = 64 * MIB;
export const MAX_BYTES = 128 * MIB;

/** Where Linux keeps the memory limit of this process's group: cgroups, version 2 and 1. */
const GROUP_LIMITS = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

/** The default memory that peers may use in the server: a sixteenth of the memory available. @returns bytes */
export function defaultMemory(bytes = memoryOfGroup() ?? totalmem()): number {
  return Math.round(Math.min(MAX_BYTES, Math.max(MIN_BYTES, Math.min(bytes, totalmem()) * SHARE)));
}

/** @returns bytes; undefined when only the machine sets a limit */
function memoryOfGroup(): number | undefined {
  for (const file of GROUP_LIMITS) {
    try {
      const bytes = Number(readFileSync(file, "latin1"));
      if (bytes > 0) return bytes;
    } catch {
      // another system, or the other cgroups version
    }
  }
  return undefined;
}
