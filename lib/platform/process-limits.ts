import { readSystemFile } from "./system-file.ts";

/**
 * A limit of this process as Linux reports it, such as `Max open files`: a number, or "unlimited"; undefined elsewhere.
 */
export function processLimit(name: string): string | undefined {
  const lines = readSystemFile("/proc/self/limits")?.split("\n") ?? [];
  const words = lines
    .find((line) => line.startsWith(name))
    ?.slice(name.length)
    .trim();
  return words?.split(/\s+/)[0];
}
