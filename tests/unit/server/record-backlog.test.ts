import { describe, expect, test } from "bun:test";
import { MemoryBudget } from "../../../lib/server/memory-budget.ts";
import { memoryLimits } from "../../../lib/server/memory-limits.ts";
import { MAX_BACKLOG, RecordBacklog } from "../../../lib/server/record-backlog.ts";
import { FakeClock } from "../../support/fake-clock.ts";

type Line = { readonly index: number; readonly text?: string } | { readonly dropped: number };

function backlogOf(bytes = 64 * 1024 * 1024) {
  const budget = new MemoryBudget(memoryLimits(bytes), new FakeClock());
  const backlog = new RecordBacklog<Line>(budget.share(), (dropped) => ({ dropped }));
  const take = (length = 1) => {
    const text = backlog.take(length);
    return text === ""
      ? []
      : text
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line) as Line);
  };
  const takeAll = () => {
    const all: Line[] = [];
    for (let some = take(1_000); some.length > 0; some = take(1_000)) all.push(...some);
    return all;
  };
  return { budget, backlog, take, takeAll };
}

describe("RecordBacklog", () => {
  test("gives what was added in order, as much together as is asked for, one at least", () => {
    const { backlog, take } = backlogOf();
    for (let index = 0; index < 5; index++) backlog.add({ index }, 1);
    expect(take(1)).toEqual([{ index: 0 }]);
    expect(take('{"index":1}\n'.length + 1)).toEqual([{ index: 1 }, { index: 2 }]);
    expect(take(1_000)).toEqual([{ index: 3 }, { index: 4 }]);
    expect(take(1_000)).toEqual([]);
  });

  test("keeps a limited number of records, and reports after them how many were dropped", () => {
    const { backlog, takeAll } = backlogOf();
    for (let index = 0; index < MAX_BACKLOG.records + 7; index++) backlog.add({ index }, 1);
    expect(backlog.count).toBe(MAX_BACKLOG.records);
    const all = takeAll();
    expect(all).toHaveLength(MAX_BACKLOG.records + 1);
    expect(all.at(-1)).toEqual({ dropped: 7 });
    backlog.add({ index: 1 }, 1);
    expect(takeAll()).toEqual([{ index: 1 }]);
  });

  test("keeps so many bytes, whatever the number of records", () => {
    const { budget, backlog, takeAll } = backlogOf();
    const text = "x".repeat(60_000);
    for (let index = 0; index < 100; index++) backlog.add({ index, text }, 1);
    expect(budget.used).toBeLessThanOrEqual(MAX_BACKLOG.bytes);
    const all = takeAll();
    expect(all.length).toBeLessThan(10);
    expect(all.at(-1)).toEqual({ dropped: 101 - all.length });
    expect(budget.used).toBe(0);
  });

  test("keeps nothing between what was dropped and the word of it", () => {
    const { backlog, take, takeAll } = backlogOf();
    for (let index = 0; index <= MAX_BACKLOG.records; index++) backlog.add({ index }, 1);
    take(100_000);
    backlog.add({ index: -1 }, 3);
    const all = takeAll();
    expect(all.at(-1)).toEqual({ dropped: 4 });
    expect(all).not.toContainEqual({ index: -1 });
  });

  test("keeps nothing when its session has no memory left, and says so", () => {
    const { budget, backlog, takeAll } = backlogOf(1024 * 1024);
    const hogs = Array.from({ length: 64 }, () => budget.share().tryReserve(16 * 1024));
    backlog.add({ index: 0 }, 5);
    expect(takeAll()).toEqual([{ dropped: 5 }]);
    for (const hog of hogs) hog?.release();
    backlog.add({ index: 1 }, 1);
    expect(takeAll()).toEqual([{ index: 1 }]);
  });

  test("gives its memory back when nobody reads any more", () => {
    const { budget, backlog, takeAll } = backlogOf();
    for (let index = 0; index < 1_000; index++) backlog.add({ index }, 1);
    expect(budget.used).toBeGreaterThan(0);
    backlog.clear();
    expect(budget.used).toBe(0);
    expect(takeAll()).toEqual([]);
  });
});
