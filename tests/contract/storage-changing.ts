import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES } from "../../lib/block.ts";
import type { ExistsPolicy, Storage } from "../../lib/storage/storage.ts";
import { PLAIN_DISK, timeOn } from "../support/disk-traits.ts";
import { codeOf } from "../support/fault.ts";
import { readWhole, walk } from "../support/repository.ts";
import { factsOf, store, writeBlock } from "../support/storing.ts";
import { noise } from "../support/transport-recorder.ts";
import { until } from "../support/until.ts";
import type { StorageFixture } from "./storage.ts";

const POLICIES = ["fail", "skip", "overwrite", "rename"] as const satisfies readonly ExistsPolicy[];
const LARGE = noise(3 * BLOCK_BYTES);
const FACTS = { size: 3, modifiedAt: 1_600_000_000_456 };

const remove = (storage: Storage, path: string, recursive = false) => storage.remove(path, { recursive });
const rename = (storage: Storage, from: string, to: string, overwrite = false) =>
  storage.rename(from, to, { overwrite });

/** load(), place(), folders, remove() and rename(), for every implementation of lib/storage/storage.ts. */
export function storageChangingContract(name: string, open: () => Promise<StorageFixture>, traits = PLAIN_DISK): void {
  describe(`${name}: load()`, () => {
    const load = async (storage: Storage, path: string, limit = 1_000) => storage.load(path, limit);

    test.each([0, 1, 1_000])("gives a file of %i bytes with its entry, and the bytes to the caller", async (size) => {
      using fixture = await open();
      fixture.put("docs/a", noise(size), FACTS.modifiedAt);
      const loaded = await load(fixture.storage, "docs/a");
      expect(loaded?.entry).toEqual(await fixture.storage.stat("docs/a"));
      expect(Buffer.from(loaded?.bytes ?? []).equals(noise(size))).toBe(true);
      loaded?.bytes.fill(0);
      expect((await readWhole(fixture.storage, "docs/a")).equals(noise(size))).toBe(true);
    });

    test("gives nothing above the limit and for a folder, and says NOT_FOUND", async () => {
      using fixture = await open();
      fixture.put("docs/a", noise(1_001));
      expect(await load(fixture.storage, "docs/a")).toBeUndefined();
      expect(await load(fixture.storage, "docs")).toBeUndefined();
      for (const path of ["missing", "missing/a", "docs/a/below"]) {
        expect(await codeOf(() => load(fixture.storage, path))).toBe("NOT_FOUND");
      }
    });
  });

  describe(`${name}: place()`, () => {
    test.each(POLICIES)("says vacant where nothing is, and makes nothing: %s", async (exists) => {
      using fixture = await open();
      expect(await fixture.storage.place("docs/a", FACTS, exists)).toEqual({ outcome: "vacant", path: "docs/a" });
      expect((await walk(fixture.storage)).paths).toEqual([]);
    });

    test.each(POLICIES)("says unchanged for a file of that size and time: %s", async (exists) => {
      using fixture = await open();
      fixture.put("docs/a", "old", FACTS.modifiedAt);
      expect(await fixture.storage.place("docs/a", FACTS, exists)).toEqual({ outcome: "unchanged", path: "docs/a" });
    });

    test.each([
      ["another size", { ...FACTS, size: 4 }],
      ["another time", { ...FACTS, modifiedAt: FACTS.modifiedAt + traits.timeStep }],
    ])("follows the policy for a file of %s", async (_, facts) => {
      using fixture = await open();
      fixture.put("docs.d/a.tar.gz", "old", FACTS.modifiedAt);
      const path = "docs.d/a.tar.gz";
      const place = (exists: ExistsPolicy) => fixture.storage.place(path, facts, exists);
      expect(await codeOf(() => place("fail"))).toBe("EXISTS");
      expect(await place("skip")).toEqual({ outcome: "skipped", path });
      expect(await place("overwrite")).toEqual({ outcome: "vacant", path });
      expect(await place("rename")).toEqual({ outcome: "vacant", path: "docs.d/a.tar (2).gz" });
    });

    test("finds the first free name with rename, also for names without an ending, and hidden ones", async () => {
      using fixture = await open();
      const names = [
        ["v1.0/readme", "v1.0/readme (2)"],
        [".hidden", ".hidden (2)"],
        ["a.b/.c.d", "a.b/.c (2).d"],
      ] as const;
      for (const [path, copy] of names) {
        fixture.put(path, "old");
        expect(await fixture.storage.place(path, FACTS, "rename")).toMatchObject({ outcome: "vacant", path: copy });
        fixture.put(copy, "old");
        const third = copy.replace("(2)", "(3)");
        expect(await fixture.storage.place(path, FACTS, "rename")).toMatchObject({ outcome: "vacant", path: third });
      }
    });

    test("finds with rename the copy that came before: it is unchanged", async () => {
      using fixture = await open();
      fixture.put("a", "another");
      fixture.put("a (2)", "old", FACTS.modifiedAt);
      expect(await fixture.storage.place("a", FACTS, "rename")).toEqual({ outcome: "unchanged", path: "a (2)" });
    });

    test("says EXISTS for a folder, which nothing replaces", async () => {
      using fixture = await open();
      fixture.put("a/inner", "x");
      for (const exists of ["fail", "overwrite"] as const) {
        expect(await codeOf(() => fixture.storage.place("a", FACTS, exists))).toBe("EXISTS");
      }
      expect(await fixture.storage.place("a", FACTS, "rename")).toEqual({ outcome: "vacant", path: "a (2)" });
    });

    test("reports the part of a large file and its source, and nothing for another size", async () => {
      using fixture = await open();
      const facts = factsOf(LARGE);
      const part = await fixture.storage.receive("docs/a", facts, "fail");
      await writeBlock(part, LARGE, BLOCK_BYTES);
      await part.keep();
      const { resume, ...rest } = (await fixture.storage.place("docs/a", facts, "fail")) as {
        resume: { etag: string; missing: readonly (readonly [number, number])[] };
      };
      expect<unknown>(rest).toEqual({ outcome: "vacant", path: "docs/a" });
      expect(resume.etag).toBe(facts.etag);
      expect(resume.missing.map((range) => [...range])).toEqual([
        [0, BLOCK_BYTES],
        [2 * BLOCK_BYTES, LARGE.length],
      ]);
      const other = { ...facts, size: LARGE.length + 1 };
      expect(await fixture.storage.place("docs/a", other, "fail")).toEqual({ outcome: "vacant", path: "docs/a" });
    });
  });

  describe(`${name}: makeFolder()`, () => {
    test("makes it with those above it, and says whether it is new", async () => {
      using fixture = await open();
      expect(await fixture.storage.makeFolder("a/b/c")).toBe(true);
      expect(await fixture.storage.makeFolder("a/b/c")).toBe(false);
      expect(await fixture.storage.makeFolder("a/b")).toBe(false);
      expect((await walk(fixture.storage)).paths).toEqual(["a", "a/b", "a/b/c"]);
    });

    test("says EXISTS for a file, and for one in the way", async () => {
      using fixture = await open();
      fixture.put("a/file", "x");
      expect(await codeOf(() => fixture.storage.makeFolder("a/file"))).toBe("EXISTS");
      expect(await codeOf(() => fixture.storage.makeFolder("a/file/b"))).toBe("EXISTS");
    });
  });

  describe(`${name}: remove()`, () => {
    test("removes a file, an empty folder, and with recursive all below one", async () => {
      using fixture = await open();
      for (const path of ["file", "full/a", "full/b/c", "full2/d"]) fixture.put(path, "x");
      await fixture.storage.makeFolder("empty");
      await remove(fixture.storage, "file");
      await remove(fixture.storage, "empty");
      await remove(fixture.storage, "full", true);
      expect((await walk(fixture.storage)).paths).toEqual(["full2", "full2/d"]);
    });

    test("says NOT_EMPTY for a folder with something in it, which stays", async () => {
      using fixture = await open();
      fixture.put("full/a", "x");
      expect(await codeOf(() => remove(fixture.storage, "full"))).toBe("NOT_EMPTY");
      expect((await walk(fixture.storage)).paths).toEqual(["full", "full/a"]);
    });

    test("says NOT_FOUND for what is not there", async () => {
      using fixture = await open();
      fixture.put("file", "x");
      for (const path of ["missing", "missing/a", "file/below"]) {
        expect(await codeOf(() => remove(fixture.storage, path))).toBe("NOT_FOUND");
        expect(await codeOf(() => remove(fixture.storage, path, true))).toBe("NOT_FOUND");
      }
    });

    test("says NOT_ALLOWED for the root, and removes nothing", async () => {
      using fixture = await open();
      fixture.put("docs/a", "x");
      for (const recursive of [false, true]) {
        expect(await codeOf(() => remove(fixture.storage, "", recursive))).toBe("NOT_ALLOWED");
      }
      expect((await walk(fixture.storage)).paths).toEqual(["docs", "docs/a"]);
    });

    test("removes what is just being read, or says BUSY where the disk keeps it until it is closed", async () => {
      using fixture = await open();
      const { storage } = fixture;
      fixture.put("full/a", "x");
      fixture.put("full/sub/b", "x");
      const file = await storage.open("full/sub/b");
      const removeAll = () => remove(storage, "full", true);
      if (traits.hidesOpenFiles) expect(await codeOf(removeAll)).toBe("BUSY");
      else await removeAll();
      await file.close();
      // What was open is closed a moment later.
      const isRemoved = () =>
        removeAll().then(
          () => true,
          () => false,
        );
      if (traits.hidesOpenFiles) await until(isRemoved);
      expect((await walk(storage)).paths).toEqual([]);
    });

    test("a removed path can be used again at once, as a file and as a folder", async () => {
      using fixture = await open();
      for (let turn = 0; turn < 3; turn++) {
        await store(fixture.storage, "a/b", noise(10));
        await remove(fixture.storage, "a", true);
        await store(fixture.storage, "a", noise(10));
        await remove(fixture.storage, "a");
      }
      expect((await walk(fixture.storage)).paths).toEqual([]);
    });
  });

  describe(`${name}: rename()`, () => {
    test("gives a file another path, with content, time and the folders above it", async () => {
      using fixture = await open();
      fixture.put("a", "content", FACTS.modifiedAt);
      await rename(fixture.storage, "a", "one/two/b");
      expect((await walk(fixture.storage)).paths).toEqual(["one", "one/two", "one/two/b"]);
      expect((await readWhole(fixture.storage, "one/two/b")).toString()).toBe("content");
      expect(await fixture.storage.stat("one/two/b")).toMatchObject({ modifiedAt: timeOn(traits, FACTS.modifiedAt) });
    });

    test("gives a folder another path with all below it", async () => {
      using fixture = await open();
      for (const path of ["old/a", "old/sub/b", "older/c"]) fixture.put(path, path);
      await rename(fixture.storage, "old", "new");
      expect((await walk(fixture.storage)).paths).toEqual(["new", "new/a", "new/sub", "new/sub/b", "older", "older/c"]);
      expect((await readWhole(fixture.storage, "new/sub/b")).toString()).toBe("old/sub/b");
    });

    test("says EXISTS for what is there, unless both are files and overwrite is asked for", async () => {
      using fixture = await open();
      for (const path of ["file", "other", "folder/x", "folder2/y"]) fixture.put(path, path);
      for (const overwrite of [false, true]) {
        for (const [from, to] of [
          ["file", "folder"],
          ["folder", "file"],
          ["folder", "folder2"],
          ["folder2/y", "folder2"],
          ["file", "other/below"],
        ] as const) {
          expect(await codeOf(() => rename(fixture.storage, from, to, overwrite))).toBe("EXISTS");
        }
      }
      expect(await codeOf(() => rename(fixture.storage, "file", "other"))).toBe("EXISTS");
      expect((await readWhole(fixture.storage, "other")).toString()).toBe("other");
      await rename(fixture.storage, "file", "other", true);
      expect((await readWhole(fixture.storage, "other")).toString()).toBe("file");
      expect((await walk(fixture.storage)).paths).toEqual(["folder", "folder/x", "folder2", "folder2/y", "other"]);
    });

    test("says BAD_PATH for a folder into itself, and does nothing for a path to itself", async () => {
      using fixture = await open();
      fixture.put("a/b/c", "x");
      for (const to of ["a/b/d", "a/a"]) expect(await codeOf(() => rename(fixture.storage, "a", to))).toBe("BAD_PATH");
      await rename(fixture.storage, "a", "a");
      expect((await walk(fixture.storage)).paths).toEqual(["a", "a/b", "a/b/c"]);
    });

    test("says NOT_FOUND for what is not there, and makes no folders for it", async () => {
      using fixture = await open();
      for (const from of ["missing", "missing/a"]) {
        expect(await codeOf(() => rename(fixture.storage, from, "new/b"))).toBe("NOT_FOUND");
      }
      expect((await walk(fixture.storage)).paths).toEqual([]);
    });
  });
}
