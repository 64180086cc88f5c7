import { StorageError, StreamError } from "../errors.ts";
import { quote } from "../quote.ts";
import type { GatewayParts } from "../server/parts.ts";
import type { StorageEntry } from "../storage/storage.ts";
import { storageFault } from "../storage-faults.ts";
import { judge } from "./conditions.ts";
import { tagOf } from "./entity-tag.ts";
import type { HttpCall } from "./http-call.ts";

/** The present entry at the path of a request that would change it, and whether it may. */

/** The present entry; undefined if there is none. @throws StorageError as Storage.stat(), but NOT_FOUND */
export async function entryAt(
  path: string,
  { storage }: Pick<GatewayParts, "storage">,
): Promise<StorageEntry | undefined> {
  try {
    return await storage.stat(path);
  } catch (thrown) {
    if (thrown instanceof StorageError && thrown.code === "NOT_FOUND") return undefined;
    throw thrown;
  }
}

/** The file that would be replaced; undefined if there is none. @throws StorageError EXISTS if it is not a file */
export async function replacedAt(
  path: string,
  server: Pick<GatewayParts, "storage">,
): Promise<StorageEntry | undefined> {
  const entry = await entryAt(path, server);
  if (entry !== undefined && entry.kind !== "file") throw storageFault.noFile(path);
  return entry;
}

/** @throws StreamError CHANGED when the conditions of the request are not met. `now` in milliseconds since 1970 */
export function requireState(call: HttpCall, path: string, entry: StorageEntry | undefined, now: number): void {
  const state = entry && { tag: tagOf(entry, now), modifiedAt: entry.modifiedAt };
  if (judge(call.request.headers, state, { isRead: false, now }) === "go on") return;
  throw new StreamError("CHANGED", `${quote(path)} is not in the state that the request expects.`);
}
