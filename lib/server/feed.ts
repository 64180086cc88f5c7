import { encodeRecord } from "../protocol/records.ts";
import type { Stream } from "../session/stream.ts";
import { Wakeup } from "../session/wakeup.ts";

export interface FeedOptions<T> {
  /** Records that are kept for a caller who reads slowly; what comes beyond them is counted. */
  readonly maxKept: number;
  /** Settles when nothing more will be told. */
  readonly ended: Promise<void>;
  /** Begin to tell. Returns the function that ends it. */
  subscribe(tell: (record: T) => void): (() => void) | Promise<() => void>;
  /** The record that stands for so many that were not kept. */
  dropped(count: number): T;
}

/**
 * Answer with records as they come up, until the caller leaves or nothing more will be told; what was told before is
 * still sent then.
 *
 * @throws as Stream.write() and `subscribe`
 */
export async function sendFeed<T>(stream: Stream, options: FeedOptions<T>): Promise<void> {
  const kept: T[] = [];
  const wakeup = new Wakeup();
  let dropped = 0;
  let isEnded = false;
  const unsubscribe = await options.subscribe((record) => {
    if (kept.length < options.maxKept) kept.push(record);
    else dropped++;
    wakeup.notify();
  });
  // Once, and not for each wait: a promise keeps all who wait for it until it settles.
  void stream.closed.then(() => wakeup.notify());
  void options.ended.then(() => {
    isEnded = true;
    wakeup.notify();
  });
  try {
    stream.accept({});
    while (!stream.isClosed) {
      const record = kept.shift();
      if (record !== undefined) await stream.write(encodeRecord(record));
      else if (dropped > 0) {
        const count = dropped;
        dropped = 0;
        await stream.write(encodeRecord(options.dropped(count)));
      } else if (isEnded) return await stream.end();
      else await wakeup.wait();
    }
  } finally {
    unsubscribe();
  }
}
