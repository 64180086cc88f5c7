import { describe, expect, test } from "bun:test";
import { ABSENT, Account } from "./account.ts";
import { Disturbances } from "./disturbances.ts";
import { unexplained } from "./leftovers.ts";
import { MemoryTrend } from "./memory-trend.ts";
import { SharedNames } from "./shared-names.ts";
import { growthOf } from "./vitals.ts";

describe("the account", () => {
  test("what was acknowledged must be there, and nothing else", () => {
    const account = new Account();
    account.set("a", "1");
    expect(account.faults(new Map([["a", "1"]]))).toEqual([]);
    expect(account.faults(new Map())).toHaveLength(1);
    expect(account.faults(new Map([["a", "2"]]))).toHaveLength(1);
    expect(
      account.faults(
        new Map([
          ["a", "1"],
          ["b", "1"],
        ]),
      ),
    ).toHaveLength(1);
  });

  test("what was not answered may have happened or not, and one look settles it", () => {
    const account = new Account();
    account.set("a", "1");
    account.doubt("a", "2");
    for (const state of ["1", "2"]) expect(account.faults(new Map([["a", state]]))).toEqual([]);
    expect(account.faults(new Map([["a", "3"]]))).toHaveLength(1);
    account.settle(new Map([["a", "2"]]));
    expect(account.isCertainly("a", "2")).toBe(true);
  });

  test("a move happens as a whole", () => {
    const moves = [
      { from: "x/a", to: "y/a", state: "1" },
      { from: "x/b", to: "y/b", state: "2" },
    ];
    const settled = (found: Record<string, string>) => {
      const account = new Account();
      for (const { from, state } of moves) account.set(from, state);
      account.doubtMove(moves);
      const observed = new Map(Object.entries(found));
      return [...account.faults(observed), ...account.settle(observed)].length;
    };
    expect(settled({ "x/a": "1", "x/b": "2" })).toBe(0);
    expect(settled({ "y/a": "1", "y/b": "2" })).toBe(0);
    expect(settled({ "y/a": "1", "x/b": "2" })).toBe(1);
    expect(settled({ "x/a": "1", "y/a": "1", "x/b": "2", "y/b": "2" })).toBe(1);
    expect(settled({})).toBe(1);
  });
});

describe("names that everybody writes to", () => {
  test("hold what no later one has replaced", async () => {
    const names = new SharedNames();
    const first = names.offer("s", "1");
    first.to = Date.now();
    first.isDone = true;
    await Bun.sleep(5);
    const second = names.offer("s", "2");
    expect(names.couldBe("s", ABSENT)).toBe(false);
    second.to = Date.now();
    second.isDone = true;
    expect(names.settle(new Map([["s", "1"]]))).toHaveLength(1);
    expect(names.settle(new Map([["s", "1"]]))).toEqual([]);
    expect(names.settle(new Map())).toHaveLength(1);
  });
});

describe("memory", () => {
  /** What collections of a healthy server left, minute by minute. */
  const RESIDENT = [104, 112, 108, 119, 110, 105, 115, 107, 118, 109];
  /** Measured every ten seconds in a healthy server, which collects by itself. */
  const SAWTOOTH = [84, 95, 103, 106, 112, 117, 125, 129, 134, 141, 147, 152, 155, 111, 118, 110, 114];

  /** Look once a minute at a server that loses so much a minute. @returns when what was found */
  function watch(minutes: number, leak: { heap?: number; native?: number }): string | undefined {
    const { heap = 0, native = 0 } = leak;
    const trend = new MemoryTrend();
    for (let minute = 0; minute < minutes; minute++) {
      const heapMegabytes = 21 + (minute % 3) + heap * minute;
      const rssMegabytes = (RESIDENT[minute % RESIDENT.length] as number) + (heap + native) * minute;
      const fault = trend.note(minute, { heapMegabytes, rssMegabytes });
      if (fault !== undefined) return `${minute}: ${fault}`;
    }
    return undefined;
  }

  test("that leaks a megabyte a minute is found in half an hour, in the heap or outside", () => {
    expect(watch(30, { heap: 1 })).toMatch(/^13: heap .* rises by/);
    expect(watch(30, { native: 1 })).toMatch(/resident memory .* rises by/);
  });

  test("of a healthy server grows to its size in the first minutes", () => {
    const trend = new MemoryTrend();
    for (let minute = 0; minute < 30; minute++) {
      const heapMegabytes = 23 - 12 * Math.exp(-minute / 5);
      expect(trend.note(minute, { heapMegabytes, rssMegabytes: 80 + heapMegabytes })).toBeUndefined();
    }
  });

  test("of a healthy server does not rise, however often it is looked at", () => {
    for (let minutes = 1; minutes < 100; minutes++) expect(watch(minutes, {})).toBeUndefined();
  });

  test("may go up and down as it was measured, and no higher than its ceiling", () => {
    const trend = new MemoryTrend();
    expect(SAWTOOTH.map((megabytes) => trend.sample(megabytes)).filter(Boolean)).toEqual([]);
    expect(trend.sample(Number.NaN)).toBeUndefined();
    expect(trend.sample(213)).toMatch(/213 MB/);
    expect(trend.sample(214)).toBeUndefined();
  });
});

test("descriptors are compared by kind", () => {
  const vitals = (descriptors: Record<string, number>) => ({ descriptors, count: 0, rssMegabytes: 0 });
  expect(growthOf(vitals({ "socket:": 2, "/a": 1 }), vitals({ "socket:": 3, "/b": 1 }))).toEqual([
    "socket: +1",
    "/b +1",
  ]);
});

test("only a kill explains unfinished files, and only those that nobody can go on with", () => {
  const orphans = ["a.1234abcd.commserver-part", "b.commserver-journal", "d.commserver-lock"];
  const resumable = ["c.commserver-part", "c.commserver-journal"];
  expect(unexplained([...orphans, ...resumable], true)).toEqual(resumable);
  expect(unexplained(orphans, false)).toEqual(orphans);
});

test("a disturbance excuses requests that were under way", () => {
  const disturbances = new Disturbances();
  const now = Date.now();
  expect(disturbances.during(now, now)).toBeUndefined();
  const end = disturbances.begin("drain");
  expect(disturbances.during(now + 60_000, now + 60_001)).toBe("drain");
  end();
  expect(disturbances.during(now - 60_000, now + 1)).toBe("drain");
  expect(disturbances.during(now + 60_000, now + 60_001)).toBeUndefined();
  expect(disturbances.since("drain", now + 60_000)).toBe(false);
});
