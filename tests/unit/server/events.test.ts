import { describe, expect, test } from "bun:test";
import { EventFeed, type StampedEvent } from "../../../lib/server/event-feed.ts";

const warning = (message: string) => ({ event: "warning", message }) as const;

function feedAt(...times: number[]): EventFeed {
  return new EventFeed(() => times.shift() ?? 0);
}

describe("EventFeed", () => {
  test("tells all listeners every event with its time, in the order in which they happen", () => {
    const feed = feedAt(1_000, 2_000);
    const [first, second]: [StampedEvent[], StampedEvent[]] = [[], []];
    feed.subscribe((event) => first.push(event));
    feed.subscribe((event) => second.push(event));
    feed.emit(warning("one"));
    feed.emit({ event: "draining", on: true });
    expect(first).toEqual([
      { at: 1_000, event: "warning", message: "one" },
      { at: 2_000, event: "draining", on: true },
    ]);
    expect(second).toEqual(first);
  });

  test("tells nothing of before, and nothing after the end of the subscription", () => {
    const feed = feedAt();
    const heard: StampedEvent[] = [];
    feed.emit(warning("before"));
    const unsubscribe = feed.subscribe((event) => heard.push(event));
    feed.emit(warning("between"));
    unsubscribe();
    unsubscribe();
    feed.emit(warning("after"));
    expect(heard).toMatchObject([{ message: "between" }]);
  });

  test("a listener that leaves during an event costs the others nothing", () => {
    const feed = feedAt();
    const heard: string[] = [];
    const leave = feed.subscribe(() => leave());
    feed.subscribe(({ event }) => heard.push(event));
    feed.emit(warning("one"));
    feed.emit(warning("two"));
    expect(heard).toEqual(["warning", "warning"]);
  });

  test("without listeners it does nothing", () => {
    expect(() => feedAt().emit(warning("unheard"))).not.toThrow();
  });

  test("`ended` aborts with end() and not before", () => {
    const feed = feedAt();
    feed.emit(warning("one"));
    expect(feed.ended.aborted).toBe(false);
    feed.end();
    feed.end();
    expect(feed.ended.aborted).toBe(true);
  });
});
