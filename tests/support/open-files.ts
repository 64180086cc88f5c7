import { readdirSync, readlinkSync } from "node:fs";

/** How many of this process's open files and folders lie at or below `path`, deleted ones included (Linux). */
export function openBelow(path: string): number {
  const targets = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ""; // the descriptor that reads the list
    }
  });
  return targets.filter((target) => target.startsWith(path)).length;
}
