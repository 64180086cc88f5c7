import { readFileSync } from "node:fs";

let known: number | undefined;

/** Bytes that a file of this process may have (`ulimit -f`); Infinity where there is no limit, or it is not told. */
export function fileSizeLimit(): number {
  known ??= read();
  return known;
}

function read(): number {
  try {
    const limit = /^Max file size +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
