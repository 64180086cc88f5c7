import { processLimit } from "./process-limits.ts";

let known: number | undefined;

/**
 * The largest file that this process may write, in bytes (`ulimit -f`); Infinity if there is no limit, or none is
 * known.
 */
export function fileSizeLimit(): number {
  known ??= read();
  return known;
}

function read(): number {
  const limit = Number(processLimit("Max file size"));
  return Number.isNaN(limit) ? Number.POSITIVE_INFINITY : limit;
}
