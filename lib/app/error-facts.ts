import { toCommError } from "../errors.ts";
import type { ErrorFacts } from "./events.ts";

/** Any thrown value, as a page is told. */
export function errorFacts(thrown: unknown): ErrorFacts {
  const { code, message } = toCommError(thrown);
  return { code, message };
}
