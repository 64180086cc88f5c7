import type { TransferItem } from "./transfer.ts";

/** The most items of a plan that are held before they are needed. */
const MAX_AHEAD = 100_000;
/** About the most memory that they may take, in bytes. */
export const MAX_AHEAD_BYTES = 32 * 1024 * 1024;
const ITEM_BYTES = 150;

/** Runs ahead of the consumer, so that totals are known early; an error comes in its turn. */
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
