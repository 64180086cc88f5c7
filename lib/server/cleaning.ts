import { toCommError } from "../errors.ts";
import type { ServerEvent } from "../protocol/methods.ts";
import type { Storage } from "../storage/storage.ts";

/** How long an unfinished file can be resumed. */
export const STALE_MS = 7 * 24 * 3_600_000;

/** Remove unfinished files that were left untouched for a week. Never throws. */
export async function cleanUnfinished(
  storage: Pick<Storage, "unfinished" | "removeUnfinished">,
  now: number,
  emit: (event: ServerEvent) => void,
): Promise<void> {
  try {
    for await (const { path, size, modifiedAt } of storage.unfinished()) {
      if (now - modifiedAt < STALE_MS) continue;
      if (await storage.removeUnfinished(path)) emit({ event: "cleaned", path, size });
    }
  } catch (thrown) {
    emit({ event: "warning", message: `Unfinished files can't be cleaned: ${toCommError(thrown).message}` });
  }
}
