import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { localTime } from "../../../lib/platform/local-time.ts";

const MODULE = join(import.meta.dir, "../../../lib/platform/local-time.ts");

/** Each month from 1899 to 2105, at an odd second, and around the hours that some zones skip or repeat. */
const TIMES = [
  ...Array.from({ length: 12 * 206 }, (_, month) => Date.UTC(1899, month, 1 + (month % 28), month % 24, 7, 11)),
  ...[-1, 0, 1].flatMap((second) => [Date.UTC(2026, 2, 29, 1, 0, second), Date.UTC(2026, 9, 25, 1, 0, second)]),
  -1,
  0,
  999,
];

describe("local time", () => {
  test.each(["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Kiritimati"])(
    "is the one of a Date in %s",
    (zone) => {
      const script = `
      const { localTime } = await import(${JSON.stringify(MODULE)});
      const wrong = ${JSON.stringify(TIMES)}.filter((time) => {
        const date = new Date(time);
        // Before 1972 some zones had offsets of odd seconds, which a Date shows in whole minutes.
        const isOdd = time < Date.UTC(1972, 0, 1);
        const { year, month, day, hours, minutes, seconds } = localTime(time);
        const shown = new Date(year, month - 1, day, hours, minutes, seconds).getTime();
        const other = new Date(date.getFullYear(), date.getMonth(), date.getDate(), date.getHours(), date.getMinutes(), date.getSeconds()).getTime();
        return Math.abs(shown - other) >= (isOdd ? 60_000 : 1);
      });
      console.log(JSON.stringify(wrong));`;
      const { stdout, stderr } = Bun.spawnSync([process.execPath, "-e", script], { env: { ...process.env, TZ: zone } });
      expect(`${stderr}${stdout}`).toBe("[]\n");
    },
  );

  test("where the C library can't be called is that of a Date", () => {
    const script = `
      import { mock } from "bun:test";
      import * as ffi from "bun:ffi";
      mock.module("bun:ffi", () => ({ ...ffi, dlopen() { throw new Error("not here"); } }));
      const { localTime } = await import(${JSON.stringify(MODULE)});
      console.log(JSON.stringify(localTime(Date.UTC(2026, 6, 1, 12, 3, 4))));`;
    const { stdout } = Bun.spawnSync([process.execPath, "-e", script], {
      env: { ...process.env, TZ: "Asia/Tokyo" },
    });
    expect(JSON.parse(stdout.toString())).toEqual({ year: 2026, month: 7, day: 1, hours: 21, minutes: 3, seconds: 4 });
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 8.64e15 + 1])("there is none for %p", (timestamp) => {
    expect(localTime(timestamp)).toBeUndefined();
  });
});
