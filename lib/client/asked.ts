import { toCommError } from "../errors.ts";
import { isGlob } from "../glob.ts";
import type { StatResult } from "../protocol/methods.ts";
import type { Asked } from "./asked-params.ts";
import type { Client } from "./client.ts";

/** After these errors the typed text may still be a pattern. */
const NO_SUCH_NAME = ["NOT_FOUND", "BAD_PATH"];

/**
 * The entry with exactly this name in the repository, even if it looks like a pattern; undefined when there is none and
 * it is a pattern.
 */
export async function findNamed(client: Client, typed: string): Promise<StatResult | undefined> {
  try {
    return await client.stat(typed);
  } catch (thrown) {
    if (isGlob(typed) && NO_SUCH_NAME.includes(toCommError(thrown).code)) return undefined;
    throw thrown;
  }
}

/**
 * What a person means by `typed`: the file or folder of that name if there is one, otherwise the pattern. The server is
 * asked only about a name that may be a pattern.
 */
export async function askedFor(client: Client, typed: string): Promise<Asked> {
  if (!isGlob(typed)) return typed;
  return (await findNamed(client, typed)) === undefined ? typed : { path: typed };
}
