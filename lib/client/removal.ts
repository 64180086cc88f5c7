import { CommError } from "../errors.ts";
import { parentOf } from "../path.ts";
import type { Entry } from "../protocol/methods.ts";
import { quote } from "../quote.ts";
import type { Client } from "./client.ts";
import { MAX_LISTED } from "./path-set.ts";

/**
 * What a pattern selects to be removed, in the order of the server's list: with `isRecursive` also folders, which stand
 * for everything in them; otherwise all but folders.
 *
 * @throws CommError NOT_FOUND when nothing matches, NOT_EMPTY when only folders do; as Client.listBatches()
 */
export async function planRemoval(
  client: Client,
  pattern: string,
  { isRecursive, signal }: { isRecursive: boolean; signal: AbortSignal },
): Promise<Entry[]> {
  const found: Entry[] = [];
  const folders = new Set<string>();
  for await (const batch of client.listBatches(pattern, signal, { maxEntries: MAX_LISTED })) {
    for (const entry of batch) {
      if (isRecursive && isBelow(folders, entry.path)) continue;
      if (entry.kind === "folder") folders.add(entry.path);
      if (isRecursive || entry.kind !== "folder") found.push(entry);
    }
  }
  if (found.length > 0) return found;
  if (folders.size > 0) throw new CommError("NOT_EMPTY", `Only folders match ${quote(pattern)}.`);
  throw new CommError("NOT_FOUND", `Nothing matches ${quote(pattern)}.`);
}

function isBelow(folders: ReadonlySet<string>, path: string): boolean {
  for (let folder = parentOf(path); folder !== ""; folder = parentOf(folder)) if (folders.has(folder)) return true;
  return false;
}
