/** Items held ahead: so much of a plan is known before it is needed, at a hundred bytes or two each. */
const MAX_AHEAD = 100_000;

/** Runs ahead of whoever takes the items, so that totals are known early; what it fails with comes in its turn. */
export async function* prefetch<T>(items: AsyncIterable<T>, onEnd: () => void): AsyncGenerator<T, void> {
  const queue: T[] = [];
  let ended = false;
  let failure: unknown;
  let changed = Promise.withResolvers<void>();
  const notify = () => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const iterator = items[Symbol.asyncIterator]();
  const pump = async () => {
    try {
      for (let step = await iterator.next(); !step.done && !ended; step = await iterator.next()) {
        queue.push(step.value);
        notify();
        while (queue.length >= MAX_AHEAD && !ended) await changed.promise;
      }
      onEnd();
    } catch (thrown) {
      failure = thrown;
    }
    ended = true;
    notify();
  };
  const pumping = pump();
  let next = 0;
  try {
    for (;;) {
      if (next < queue.length) {
        yield queue[next++] as T;
        if (next < 1_000) continue;
        // Not one by one: shift() moves all that is left.
        queue.splice(0, next);
        next = 0;
        notify();
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
