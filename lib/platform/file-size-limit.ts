import { processLimit } from "./process-limits.ts";

let known: number | undefined;

/** Bytes that a file of this process may have (`ulimit -f`); Infinity where there is no limit, or none is known. */
export function fileSizeLimit(): number {
  known ??= read();
  return known;
}

function read(): number {
  const limit = Number(processLimit("Max file size"));
  return Number.isNaN(limit) ? Number.POSITIVE_INFINITY : limit;
}
