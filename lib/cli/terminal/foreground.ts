import { readFileSync } from "node:fs";

/**
 * Whether this process may use its terminal now: a job in the background that reads from it, or changes its modes, is
 * stopped. True where the system does not say (only Linux's /proc does), and without a controlling terminal.
 */
export function isInForeground(): boolean {
  try {
    // Source: proc(5). The second field, the name, may hold anything but ends with the last parenthesis.
    const stat = readFileSync("/proc/self/stat", "utf8");
    const [, , group, , , foregroundGroup] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return foregroundGroup === "-1" || foregroundGroup === group;
  } catch {
    return true;
  }
}
