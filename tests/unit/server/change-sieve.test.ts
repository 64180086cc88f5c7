import { describe, expect, test } from "bun:test";
import { selectBelow, selectGlob } from "../../../lib/selection.ts";
import { ChangeSieve, MAX_UNDECIDED } from "../../../lib/server/change-sieve.ts";
import type { StorageChange } from "../../../lib/storage/storage.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";

const removed = (path: string, wasFolder = false): StorageChange => ({ change: "removed", path, wasFolder });

function sieveOf(selection = selectBelow(""), clock = new FakeClock()) {
  const told: [string, number][] = [];
  const sieve = new ChangeSieve(
    selection,
    (change, weight) => told.push([change.change === "missed" ? "missed" : change.path, weight]),
    clock,
  );
  return { sieve, told };
}

describe("ChangeSieve", () => {
  test("tells in order what was asked for, and folders that may hold it", async () => {
    const { sieve, told } = sieveOf(selectGlob("docs/*.txt"));
    sieve.take([
      removed("docs/a.txt"),
      removed("docs/a.md"),
      removed("docs", true),
      removed("docs"),
      removed("x", true),
    ]);
    sieve.take([{ change: "missed", count: 3 }, removed("docs/b.txt")]);
    await settle();
    expect(told.map(([path]) => path)).toEqual(["docs/a.txt", "docs", "missed", "docs/b.txt"]);
    expect(told[2]?.[1]).toBe(3);
  });

  test("begins each in a turn of its own, however many watch", async () => {
    let turns = 0;
    class CountingClock extends FakeClock {
      override turn(): Promise<void> {
        turns++;
        return super.turn();
      }
    }
    const clock = new CountingClock();
    const all = Array.from({ length: 20 }, () => sieveOf(selectBelow(""), clock));
    for (const { sieve } of all) sieve.take([removed("a")]);
    expect(all.flatMap(({ told }) => told)).toEqual([]);
    for (let round = 0; round < 10; round++) await settle();
    expect(all.every(({ told }) => told.length === 1)).toBe(true);
    expect(turns).toBeGreaterThanOrEqual(20);
  });

  test("counts what exceeds its limits of number and length, and everything after it", async () => {
    for (const [batch, most] of [
      [Array.from({ length: 1_000 }, () => removed("a")), MAX_UNDECIDED.changes / 1_000],
      [[removed("x".repeat(4_000))], Math.floor(MAX_UNDECIDED.length / 4_000)],
    ] as const) {
      const { sieve, told } = sieveOf();
      for (let index = 0; index < most + 3; index++) sieve.take(batch);
      sieve.take([{ change: "missed", count: 5 }, removed("behind")]);
      await settle();
      expect(told.at(-1)).toEqual(["missed", 3 * batch.length + 6]);
      expect(told).toHaveLength(most * batch.length + 1);
      sieve.take([removed("later")]);
      await settle();
      expect(told.at(-1)?.[0]).toBe("later");
    }
  });

  test("tells nothing after close()", async () => {
    const { sieve, told } = sieveOf();
    sieve.take([removed("a")]);
    sieve.close();
    await settle();
    expect(told).toEqual([]);
  });
});
