import { readFileSync } from "node:fs";
import { isTerminal } from "../standard-output.ts";

/**
 * Whether this process belongs to a terminal, whose end SIGHUP then means. Where the system does not say (only Linux's
 * /proc does), a program with a terminal among its standard streams does.
 */
export function hasControllingTerminal(): boolean {
  try {
    // Source: proc(5). The second field, the name, may hold anything but ends with the last parenthesis.
    const stat = readFileSync("/proc/self/stat", "utf8");
    const [, , , , terminal] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return terminal !== "0";
  } catch {
    return ([0, 1, 2] as const).some((fd) => isTerminal(fd));
  }
}
