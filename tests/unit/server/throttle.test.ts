import { describe, expect, spyOn, test } from "bun:test";
import { LRUCache } from "lru-cache";
import { Throttle } from "../../../lib/server/throttle.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const take = (throttle: Throttle, who: string, times: number) =>
  Array.from({ length: times }, () => throttle.take(who));
const yes = (count: number) => Array<boolean>(count).fill(true);

describe("who does it again and again", () => {
  test("may ten times at once, then once every 5 seconds, however often it tries", async () => {
    const clock = new FakeClock();
    const throttle = new Throttle(clock);
    expect(take(throttle, "a", 12)).toEqual([...yes(10), false, false]);
    await clock.advance(4_999);
    expect(throttle.take("a")).toBe(false);
    await clock.advance(1);
    expect(take(throttle, "a", 2)).toEqual([true, false]);
  });

  test("has its ten again after a rest", async () => {
    const clock = new FakeClock();
    const throttle = new Throttle(clock);
    take(throttle, "a", 100);
    await clock.advance(50_000);
    expect(take(throttle, "a", 11)).toEqual([...yes(10), false]);
  });

  test("says nothing of another", () => {
    const throttle = new Throttle(new FakeClock());
    take(throttle, "a", 50);
    expect([throttle.take("b"), throttle.take("")]).toEqual([true, true]);
  });
});

describe("very many", () => {
  test("are not all remembered, but those that do it now are", () => {
    const throttle = new Throttle(new FakeClock());
    take(throttle, "first", 20);
    for (let index = 0; index < 10_000; index++) throttle.take(`other ${index}`);
    expect(throttle.take("first")).toBe(true);
    take(throttle, "last", 20);
    expect(throttle.take("last")).toBe(false);
  });

  test("are forgotten when they have rested, up to the first that has not", async () => {
    const clock = new FakeClock();
    const throttle = new Throttle(clock);
    for (const who of ["a", "b"]) throttle.take(who);
    take(throttle, "busy", 10);
    throttle.take("c");
    await clock.advance(5_000);
    using forget = spyOn(LRUCache.prototype, "delete");
    throttle.take("new");
    expect(forget.mock.calls.map(([who]) => who)).toEqual(["a", "b"]);
  });

  test("do not push out one that goes on", () => {
    const throttle = new Throttle(new FakeClock());
    for (let index = 0; index < 30_000; index++) {
      throttle.take(`other ${index}`);
      if (index % 1_000 === 0) throttle.take("persistent");
    }
    expect(throttle.take("persistent")).toBe(false);
  });
});
