import { expect, test } from "bun:test";
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { homeOfThisRun } from "../support/user-home.ts";

test("a run of the tests has a home of its own, the same all the time, and removes those of runs that have ended", async () => {
  const home = homeOfThisRun();
  const child = Bun.spawn([process.execPath, "-e", "0"]);
  await child.exited;
  const former = join(dirname(home), `${child.pid}`);
  mkdirSync(join(former, "commserver/local"), { recursive: true });
  expect(homeOfThisRun()).toBe(home);
  expect(existsSync(former)).toBe(false);
});
