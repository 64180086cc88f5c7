import type { Digest64 } from "../block.ts";
import type { CommError } from "../errors.ts";
import { storageFault } from "../storage-faults.ts";
import { PathSet } from "./path-set.ts";
import type { TransferItem } from "./transfer.ts";

/**
 * A plan without files whose target has another source already: one would replace the other, or not come at all.
 * `onFailed` gets those.
 */
export async function* withOwnTargets(
  plan: AsyncIterable<TransferItem[]>,
  digest64: Digest64,
  onFailed: (source: string, error: CommError) => unknown,
): AsyncGenerator<TransferItem[], void> {
  const [targets, pairs] = [new PathSet(digest64), new PathSet(digest64)];
  for await (const items of plan) {
    yield items.filter(({ kind, from, to }) => {
      // The same item may be asked for twice, and is fetched once.
      const isOwn = !pairs.add(`${from}\0${to}`) || targets.add(to) || kind === "folder";
      if (!isOwn) onFailed(from, storageFault.sameTarget(from, to));
      return isOwn;
    });
  }
}
