import { StreamError } from "../errors.ts";
import { quote } from "../quote.ts";

/** How often damaged parts of a file are requested again. */
export const MAX_REPAIRS = 5;

/** @returns the number of repairs with one more @throws StreamError DIGEST_MISMATCH above MAX_REPAIRS */
export function countRepair(repairs: number, path: string): number {
  if (repairs < MAX_REPAIRS) return repairs + 1;
  throw new StreamError("DIGEST_MISMATCH", `${quote(path)} arrived damaged ${MAX_REPAIRS} times.`);
}
