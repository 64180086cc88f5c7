import type { TransferItem } from "./transfer.ts";

/** Items held ahead: so much of a plan is known before it is needed. */
const MAX_AHEAD = 100_000;
/** What they may take in memory, about. */
export const MAX_AHEAD_BYTES = 32 * 1024 * 1024;
const ITEM_BYTES = 150;

/** Runs ahead of whoever takes the batches, so that totals are known early; what it fails with comes in its turn. */
export async function* prefetch<T extends Pick<TransferItem, "from" | "to">>(
  batches: AsyncIterable<readonly T[]>,
  onEnd: () => void,
): AsyncGenerator<T[], void> {
  let ahead: T[] = [];
  let aheadBytes = 0;
  let ended = false;
  let failure: unknown;
  let changed = Promise.withResolvers<void>();
  const notify = () => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const iterator = batches[Symbol.asyncIterator]();
  const pump = async () => {
    try {
      for (let step = await iterator.next(); !step.done && !ended; step = await iterator.next()) {
        for (const item of step.value) {
          ahead.push(item);
          aheadBytes += ITEM_BYTES + item.from.length + item.to.length;
        }
        notify();
        while ((ahead.length >= MAX_AHEAD || aheadBytes >= MAX_AHEAD_BYTES) && !ended) await changed.promise;
      }
      onEnd();
    } catch (thrown) {
      failure = thrown;
    }
    ended = true;
    notify();
  };
  const pumping = pump();
  try {
    for (;;) {
      if (ahead.length > 0) {
        const taken = ahead;
        ahead = [];
        aheadBytes = 0;
        notify();
        yield taken;
      } else if (ended) {
        if (failure !== undefined) throw failure;
        return;
      } else {
        await changed.promise;
      }
    }
  } finally {
    ended = true;
    notify();
    await iterator.return?.();
    await pumping;
  }
}
