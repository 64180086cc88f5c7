import { readFileSync } from "node:fs";

/** What Linux says of a limit of this process, such as `Max open files`: a number, or "unlimited"; undefined elsewhere. */
export function processLimit(name: string): string | undefined {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8").split("\n");
    return limits
      .find((line) => line.startsWith(name))
      ?.slice(name.length)
      .trim()
      .split(/\s+/)[0];
  } catch {
    return undefined;
  }
}
