import { describe, expect, test } from "bun:test";
import { readdirSync, utimesSync, writeFileSync } from "node:fs";
import { grainSeen } from "../../../lib/storage/local/kept-times.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { TempFolder } from "../../support/temp-folder.ts";

const floor = (step: number) => (time: number) => Math.floor(time / step) * step;
const clamp = (from: number, to: number, keep: (time: number) => number) => (time: number) =>
  Math.min(to, Math.max(from, keep(time)));
const ALL = { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY };
const FAT = [Date.UTC(1980, 0, 1), Date.UTC(2107, 11, 31, 23, 59, 58)] as const;

describe("what a disk keeps of times", () => {
  test.each([
    ["all of them", floor(1), { step: 1, isUp: false, ...ALL }],
    ["whole seconds", floor(1_000), { step: 1_000, isUp: false, ...ALL }],
    ["hundredths", floor(10), { step: 10, isUp: false, ...ALL }],
    ["two seconds from 1980 to 2107 (vfat)", clamp(...FAT, floor(2_000)), { step: 2_000, min: FAT[0], max: FAT[1] }],
    [
      "up to 2038 (128-byte inodes)",
      clamp(0, 2_147_483_647_000, floor(1_000)),
      { step: 1_000, max: 2_147_483_647_000 },
    ],
    ["the next two seconds", (time: number) => Math.ceil(time / 2_000) * 2_000, { step: 2_000, isUp: true, ...ALL }],
  ])("is found out: %s", (_, keep, expected) => {
    expect(grainSeen(keep)).toMatchObject(expected);
  });

  test.each([1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000])(
    "is found out in steps of %d ms, down and up",
    (step) => {
      expect(grainSeen(floor(step))).toEqual({ step, isUp: false, ...ALL });
      if (step > 1) expect(grainSeen((time) => Math.ceil(time / step) * step)).toEqual({ step, isUp: true, ...ALL });
    },
  );

  test("has no end where what is beyond becomes another time each (sshfs: 32 bits that wrap, 0 is now)", () => {
    const wrapped = (time: number) => (time === 0 ? Date.now() : ((time / 1_000) >>> 0) * 1_000);
    expect(grainSeen(wrapped)).toEqual({ step: 1_000, isUp: false, ...ALL });
  });

  test("has no rule where there is none to be seen: then only the same time is the same", () => {
    expect(grainSeen((time) => time + 5_000)).toBeUndefined();
    let now = Date.now();
    expect(grainSeen(() => now++)).toBeUndefined();
    // A clock that stands still, as a disk's of seconds does meanwhile: it is no range of one moment.
    expect(grainSeen(() => now)).toBeUndefined();
  });
});

test("a disk that keeps milliseconds tells files apart that differ by one, and nothing is left of the trial", async () => {
  using folder = new TempFolder();
  const storage = await LocalStorage.at(folder.path);
  const modifiedAt = 1_700_000_000_123;
  writeFileSync(folder.join("a"), "a");
  utimesSync(folder.join("a"), new Date(modifiedAt), new Date(modifiedAt));
  expect(await storage.place("a", { size: 1, modifiedAt: modifiedAt + 1 }, "skip")).toMatchObject({
    outcome: "skipped",
  });
  expect(await storage.place("a", { size: 1, modifiedAt }, "skip")).toMatchObject({ outcome: "unchanged" });
  expect(readdirSync(folder.path)).toEqual(["a"]);
});
