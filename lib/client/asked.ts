import { toCommError } from "../errors.ts";
import { isGlob } from "../glob.ts";
import type { StatResult } from "../protocol/methods.ts";
import type { Asked } from "./asked-params.ts";
import type { Client } from "./client.ts";

/** It may still be a pattern. */
const NO_SUCH_NAME = ["NOT_FOUND", "BAD_PATH"];

/** What has exactly this name in the repository, whatever it looks like; undefined for a pattern, which nothing is called. */
export async function findNamed(client: Client, typed: string): Promise<StatResult | undefined> {
  try {
    return await client.stat(typed);
  } catch (thrown) {
    if (isGlob(typed) && NO_SUCH_NAME.includes(toCommError(thrown).code)) return undefined;
    throw thrown;
  }
}

/**
 * What a person means by `typed`: the file or folder of that name where there is one, else what the pattern matches. Only a
 * name that may be a pattern is asked for.
 */
export async function askedFor(client: Client, typed: string): Promise<Asked> {
  if (!isGlob(typed)) return typed;
  return (await findNamed(client, typed)) === undefined ? typed : { path: typed };
}
