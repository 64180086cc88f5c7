import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES } from "../../lib/block.ts";
import type { StorageChange } from "../../lib/storage/storage.ts";
import { lineOf, pathOf } from "../support/changes.ts";
import { PLAIN_DISK } from "../support/disk-traits.ts";
import { store } from "../support/storing.ts";
import { noise } from "../support/transport-recorder.ts";
import { until } from "../support/until.ts";
import type { StorageFixture } from "./storage.ts";

const LARGE = noise(3 * BLOCK_BYTES);

/** watch(), for every implementation of lib/storage/storage.ts. */
export function storageWatchingContract(name: string, open: () => Promise<StorageFixture>, traits = PLAIN_DISK): void {
  describe(`${name}: watch()`, () => {
    test("tells what comes, changes and goes, by whoever's hand", async () => {
      using fixture = await open();
      fixture.put("before", "x");
      fixture.put("docs/before", "x");
      const told: StorageChange[] = [];
      const stop = await fixture.storage.watch((changes) => told.push(...changes));
      const saw = (change: string, path: string, size?: number) =>
        until(() => told.some((one) => one.change === change && pathOf(one) === path && sizeOf(one) === size));
      await store(fixture.storage, "docs/a", noise(10));
      await saw("added", "docs/a", 10);
      await store(fixture.storage, "docs/a", noise(20), { exists: "overwrite" });
      await saw("changed", "docs/a", 20);
      fixture.put("before", "longer");
      await saw("changed", "before", 6);
      await fixture.storage.remove("docs/a", { recursive: false });
      await saw("removed", "docs/a");
      stop();
    });

    test("tells of an unfinished file nothing, and of a finished one that it was added", async () => {
      using fixture = await open();
      const told: StorageChange[] = [];
      const stop = await fixture.storage.watch((changes) => told.push(...changes));
      await store(fixture.storage, "a", LARGE);
      await until(() => told.some((one) => pathOf(one) === "a"));
      await store(fixture.storage, "z", noise(1));
      await until(() => told.some((one) => pathOf(one) === "z"));
      // First of all that the disk tells nothing by itself, where it does not.
      const heard = told.map(lineOf).filter((line) => !(traits.isSilent && line.startsWith("missed 0: ")));
      expect(heard).toEqual(["added a", "added z"]);
      stop();
    });

    test("tells what comes with a new folder by itself, or by the folder once it is there", async () => {
      using fixture = await open();
      const told: StorageChange[] = [];
      const stop = await fixture.storage.watch((changes) => told.push(...changes));
      await store(fixture.storage, "new/sub/a", noise(10));
      const above = ["added new", "added new/sub", "added new/sub/a"];
      await until(() => told.some((one) => above.includes(lineOf(one))));
      expect((await fixture.storage.stat("new/sub/a")).size).toBe(10);
      await store(fixture.storage, "new/sub/later", noise(20));
      await until(() => told.some((one) => lineOf(one) === "added new/sub/later" && sizeOf(one) === 20));
      stop();
    });

    test("tells a folder that is renamed or removed with all in it by its own path", async () => {
      using fixture = await open();
      fixture.put("docs/sub/a", "x");
      const told: StorageChange[] = [];
      const stop = await fixture.storage.watch((changes) => told.push(...changes));
      await fixture.storage.rename("docs", "moved", { overwrite: false });
      await until(() => told.some((one) => lineOf(one) === "removed docs"));
      await until(() => told.some((one) => lineOf(one) === "added moved"));
      await fixture.storage.remove("moved", { recursive: true });
      await until(() => told.some((one) => lineOf(one) === "removed moved"));
      expect(told.at(-1)).toMatchObject({ change: "removed", path: "moved" });
      stop();
    });

    test("reports to each subscriber, and to none after its end", async () => {
      using fixture = await open();
      const told: [(string | undefined)[], (string | undefined)[]] = [[], []];
      const listen = (to: (string | undefined)[]) => fixture.storage.watch((all) => to.push(...all.map(pathOf)));
      const stops = [await listen(told[0]), await listen(told[1])] as const;
      fixture.put("a", "x");
      await until(() => told[0].includes("a") && told[1].includes("a"));
      stops[0]();
      fixture.put("b", "x");
      await until(() => told[1].includes("b"));
      expect(told[0]).not.toContain("b");
      stops[1]();
    });
  });
}

function sizeOf(change: StorageChange): number | undefined {
  return "entry" in change ? change.entry.size : undefined;
}
