import { StreamError } from "../errors.ts";
import { quote } from "../quote.ts";

/** How often the sender of a file is asked for what came damaged of it. */
export const MAX_REPAIRS = 5;

/** One more, after so many. @throws StreamError DIGEST_MISMATCH above MAX_REPAIRS */
export function countRepair(repairs: number, path: string): number {
  if (repairs < MAX_REPAIRS) return repairs + 1;
  throw new StreamError("DIGEST_MISMATCH", `${quote(path)} arrived damaged ${MAX_REPAIRS} times.`);
}
