import type { Stream } from "../session/stream.ts";
import { Wakeup } from "../session/wakeup.ts";
import type { MemoryShare } from "./memory-share.ts";
import { RecordBacklog } from "./record-backlog.ts";

/** The most characters of records that are sent together. */
const WRITE_LENGTH = 32 * 1024;

const encoder = new TextEncoder();

export interface FeedOptions<T> {
  /** The memory for records of a slow reader. Records without room are counted. */
  readonly memory: MemoryShare;
  /** Aborts when no more records will come. Not a promise, which would keep every caller in memory until it settles. */
  readonly ended: AbortSignal;
  /**
   * Start calling `tell`; `weight` is the number of records that a dropped one counts for.
   *
   * @returns the function that stops it
   */
  subscribe(tell: (record: T, weight?: number) => void): (() => void) | Promise<() => void>;
  /** The record that replaces `count` dropped ones. */
  dropped(count: number): T;
}

/**
 * Answer with records as they arise, until the caller leaves or the feed ends; records from before the end are still
 * sent.
 *
 * @throws as Stream.write() and `subscribe`
 */
export async function sendFeed<T>(stream: Stream, options: FeedOptions<T>): Promise<void> {
  const backlog = new RecordBacklog<T>(options.memory, (count) => options.dropped(count));
  const wakeup = new Wakeup();
  // Only once, not for each wait: a promise keeps all its callbacks until it settles.
  void stream.closed.then(() => wakeup.notify());
  const { ended } = options;
  const onEnded = () => wakeup.notify();
  ended.addEventListener("abort", onEnded);
  let unsubscribe = () => {};
  try {
    unsubscribe = await options.subscribe((record, weight = 1) => {
      backlog.add(record, weight);
      wakeup.notify();
    });
    stream.accept({});
    while (!stream.isClosed) {
      const text = backlog.take(WRITE_LENGTH);
      if (text !== "") await stream.write(encoder.encode(text));
      else if (ended.aborted) return await stream.end();
      else await wakeup.wait();
    }
  } finally {
    ended.removeEventListener("abort", onEnded);
    unsubscribe();
    backlog.clear();
  }
}
