import { describe, expect, test } from "bun:test";
import type { Storage } from "../../lib/storage/storage.ts";
import { codeOf } from "../support/fault.ts";
import { walk } from "../support/repository.ts";
import { store } from "../support/storing.ts";
import { noise } from "../support/transport-recorder.ts";
import { until } from "../support/until.ts";
import type { StorageFixture } from "./storage.ts";

/** Looks at a rename under way. */
const MAX_LOOKS = 1_000;

/** capabilities and freeBytes(), for every implementation of lib/storage/storage.ts: what is said is so, and nothing less. */
export function storageCapabilitiesContract(name: string, open: () => Promise<StorageFixture>): void {
  describe(`${name}: capabilities`, () => {
    test("say by emptyFolders whether a folder is there that nothing is in", async () => {
      using fixture = await open();
      const { storage } = fixture;
      await storage.makeFolder("empty");
      await store(storage, "filled/a", noise(10));
      await storage.remove("filled/a", { recursive: false });
      const expected = storage.capabilities.emptyFolders ? ["empty", "filled"] : [];
      expect((await walk(storage)).paths).toEqual(expected);
    });

    test("say by watch whether changes are reported", async () => {
      using fixture = await open();
      const { storage } = fixture;
      if (!storage.capabilities.watch) return expect(await codeOf(() => storage.watch(() => {}))).toBe("INTERNAL");
      let told = 0;
      const stop = await storage.watch((changes) => {
        told += changes.length;
      });
      await store(storage, "a", noise(10));
      await until(() => told > 0);
      stop();
    });

    test("say by atomicRename whether a folder is at one of its paths at every moment", async () => {
      using fixture = await open();
      const { storage } = fixture;
      for (let file = 0; file < 50; file++) fixture.put(`before/${file}`, "x");
      let isOver = false;
      const renaming = storage.rename("before", "after", { overwrite: false }).finally(() => {
        isOver = true;
      });
      const seen: boolean[] = [];
      for (let look = 0; !isOver && look < MAX_LOOKS; look++) seen.push(await isAtOne(storage));
      await renaming;
      if (storage.capabilities.atomicRename) expect(seen).not.toContain(false);
      expect((await walk(storage, "after")).paths).toHaveLength(50);
      expect(await codeOf(() => storage.stat("before"))).toBe("NOT_FOUND");
    });
  });

  describe(`${name}: freeBytes()`, () => {
    test("is at least what is stored next", async () => {
      using fixture = await open();
      const { storage } = fixture;
      expect(storage.freeBytes()).toBeGreaterThan(0);
      await store(storage, "a", noise(Math.min(1_000, storage.freeBytes())));
      expect(storage.freeBytes()).not.toBeNaN();
    });
  });
}

/** Looked at first where it goes away from: what is not there any more is at the other path by then. */
async function isAtOne(storage: Storage): Promise<boolean> {
  const isThere = (path: string) =>
    storage.stat(path).then(
      () => true,
      () => false,
    );
  return (await isThere("before")) || (await isThere("after"));
}
