import type { CommError } from "../../lib/errors.ts";
import { rejection } from "./outcomes.ts";

/** The CommError that `work` throws or rejects with. Success, or any other error, fails the test. */
export function faultOf(work: () => unknown): Promise<CommError> {
  return rejection(Promise.resolve().then(work));
}

/** The code of faultOf(). */
export async function codeOf(work: () => unknown): Promise<string> {
  return (await faultOf(work)).code;
}
