import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES, type Range } from "../../lib/block.ts";
import { PLAIN_DISK, timeOn } from "../support/disk-traits.ts";
import { codeOf } from "../support/fault.ts";
import { readWhole, walk } from "../support/repository.ts";
import { blocksOf, factsOf, store, writeBlock, writeMissing } from "../support/storing.ts";
import { noise } from "../support/transport-recorder.ts";
import { until } from "../support/until.ts";
import type { StorageFixture } from "./storage.ts";

const SIZES = [0, 1, 1_000, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES, 3 * BLOCK_BYTES + 5];
const SMALL = noise(1_000);
const LARGE = noise(2 * BLOCK_BYTES + 7, 2);
const EITHER = [
  ["a small file", SMALL],
  ["a large file", LARGE],
] as const;

/** How whole files come, for every implementation of lib/storage/storage.ts. */
export function storageWritingContract(name: string, open: () => Promise<StorageFixture>, traits = PLAIN_DISK): void {
  describe(`${name}: a file that is stored`, () => {
    test.each(SIZES)("of %i bytes is there whole, with time and right, alone", async (size) => {
      using fixture = await open();
      const content = noise(size, size + 1);
      const path = await store(fixture.storage, "docs/a", content, { modifiedAt: 1_234_567_890_123, executable: true });
      expect(path).toBe("docs/a");
      const entry = {
        path: "docs/a",
        kind: "file",
        size,
        modifiedAt: timeOn(traits, 1_234_567_890_123),
        executable: true,
      };
      expect(await fixture.storage.stat("docs/a")).toMatchObject(entry);
      expect((await readWhole(fixture.storage, "docs/a", BLOCK_BYTES)).equals(content)).toBe(true);
      expect((await walk(fixture.storage)).paths).toEqual(["docs", "docs/a"]);
    });

    test.each(EITHER)("is not executable when its source is not: %s", async (_, content) => {
      using fixture = await open();
      await store(fixture.storage, "a", content, { executable: false });
      expect((await fixture.storage.stat("a")).executable).toBe(traits.isAllExecutable === true);
    });

    test.each(EITHER)("has its folders made on the way: %s", async (_, content) => {
      using fixture = await open();
      await store(fixture.storage, "one/two/three/a", content);
      expect((await walk(fixture.storage)).paths).toEqual(["one", "one/two", "one/two/three", "one/two/three/a"]);
    });

    test.each(EITHER)("is refused as EXISTS where a file is in the way of a folder: %s", async (_, content) => {
      using fixture = await open();
      fixture.put("docs", "a file");
      for (const path of ["docs/a", "docs/deeper/a"]) {
        expect(await codeOf(() => store(fixture.storage, path, content))).toBe("EXISTS");
        expect(await codeOf(() => store(fixture.storage, path, content, { exists: "overwrite" }))).toBe("EXISTS");
      }
      expect((await walk(fixture.storage)).paths).toEqual(["docs"]);
    });

    test("above 16 TiB is TOO_LARGE before anything is made of it, unless it is there already", async () => {
      using fixture = await open();
      const { storage } = fixture;
      const facts = factsOf(SMALL, { size: 2 ** 44 + 1 });
      for (const path of ["a", "docs/a"]) {
        expect(await codeOf(() => storage.place(path, facts, "overwrite"))).toBe("TOO_LARGE");
        expect(await codeOf(() => storage.receive(path, facts, "overwrite"))).toBe("TOO_LARGE");
      }
      expect((await walk(storage)).paths).toEqual([]);
      expect(await Array.fromAsync(storage.unfinished())).toEqual([]);
      expect(await storage.place("a", { ...facts, size: 2 ** 44 }, "fail")).toEqual({ outcome: "vacant", path: "a" });
    });

    test.each(EITHER)("may have a name of 255 bytes: %s", async (_, content) => {
      using fixture = await open();
      const names = ["x".repeat(255), `${"é".repeat(127)}x`, "x".repeat(240)];
      for (const long of names) {
        await store(fixture.storage, long, content);
        expect((await readWhole(fixture.storage, long)).equals(content)).toBe(true);
      }
      expect((await walk(fixture.storage)).paths.sort()).toEqual(names.sort());
    });

    test.each(EITHER)("may have an impossible time, and is not lost for it: %s", async (_, content) => {
      using fixture = await open();
      for (const modifiedAt of [8.64e15 + 1, 1e300, -1e18]) {
        await store(fixture.storage, "a", content, { modifiedAt, exists: "overwrite" });
        expect((await readWhole(fixture.storage, "a")).equals(content)).toBe(true);
      }
    });

    test("has read the caller's buffer when it returns, though it is not done yet", async () => {
      using fixture = await open();
      const buffer = Uint8Array.from(SMALL);
      const stored = store(fixture.storage, "a", buffer);
      buffer.fill(0);
      await stored;
      expect((await readWhole(fixture.storage, "a")).equals(SMALL)).toBe(true);
    });

    test("keeps the caller's buffer out of the file: it may be used again", async () => {
      using fixture = await open();
      const buffer = Uint8Array.from(SMALL);
      await store(fixture.storage, "a", buffer);
      buffer.fill(0);
      expect((await readWhole(fixture.storage, "a")).equals(SMALL)).toBe(true);
    });
  });

  describe(`${name}: what is at the path when a file comes`, () => {
    test.each(EITHER)('is left as it is with "fail" and "skip", which is EXISTS: %s', async (_, content) => {
      using fixture = await open();
      fixture.put("a", "old");
      for (const exists of ["fail", "skip"] as const) {
        expect(await codeOf(() => store(fixture.storage, "a", content, { exists }))).toBe("EXISTS");
        expect((await readWhole(fixture.storage, "a")).toString()).toBe("old");
      }
    });

    test.each(EITHER)('is replaced with "overwrite", and has another etag: %s', async (_, content) => {
      using fixture = await open();
      fixture.put("a", "the old content");
      const { etag } = await fixture.storage.stat("a");
      expect(await store(fixture.storage, "a", content, { exists: "overwrite" })).toBe("a");
      expect((await readWhole(fixture.storage, "a")).equals(content)).toBe(true);
      expect((await fixture.storage.stat("a")).etag).not.toBe(etag);
    });

    test.each(EITHER)('stays beside the new one with "rename": %s', async (_, content) => {
      using fixture = await open();
      fixture.put("docs/report.pdf", "old");
      expect(await store(fixture.storage, "docs/report.pdf", content, { exists: "rename" })).toBe(
        "docs/report (2).pdf",
      );
      expect((await readWhole(fixture.storage, "docs/report.pdf")).toString()).toBe("old");
      expect((await readWhole(fixture.storage, "docs/report (2).pdf")).equals(content)).toBe(true);
    });

    test.each(EITHER)("is not replaced when it is a folder, whatever the policy: %s", async (_, content) => {
      using fixture = await open();
      fixture.put("a/inner", "x");
      for (const exists of ["fail", "skip", "overwrite"] as const) {
        expect(await codeOf(() => store(fixture.storage, "a", content, { exists }))).toBe("EXISTS");
      }
      expect(await store(fixture.storage, "a", content, { exists: "rename" })).toBe("a (2)");
      expect((await walk(fixture.storage)).paths).toEqual(["a", "a (2)", "a/inner"].sort(byFolder));
    });

    test("when two small files of one name come at once, one has it and the other gets EXISTS", async () => {
      using fixture = await open();
      const contents = [noise(500, 1), noise(500, 2)] as const;
      const outcomes = await Promise.allSettled(contents.map((content) => store(fixture.storage, "a", content)));
      const winners = outcomes.flatMap(({ status }, at) => (status === "fulfilled" ? [at] : []));
      expect(winners).toHaveLength(1);
      const loser = outcomes.find((outcome) => outcome.status === "rejected");
      expect(loser?.reason).toMatchObject({ code: "EXISTS" });
      const winner = contents[winners[0] as 0 | 1];
      expect((await readWhole(fixture.storage, "a")).equals(winner)).toBe(true);
    });
  });

  describe(`${name}: a file that comes block by block`, () => {
    test("is not there before commit(), in no way", async () => {
      using fixture = await open();
      const part = await fixture.storage.receive("docs/a", factsOf(LARGE), "fail");
      await writeMissing(part, LARGE);
      expect(part.missing).toEqual([]);
      expect(await codeOf(() => fixture.storage.stat("docs/a"))).toBe("NOT_FOUND");
      expect(await codeOf(() => fixture.storage.open("docs/a"))).toBe("NOT_FOUND");
      expect((await walk(fixture.storage)).paths).toEqual(["docs"]);
      await part.commit();
      expect((await walk(fixture.storage)).paths).toEqual(["docs", "docs/a"]);
      expect(await Array.fromAsync(fixture.storage.unfinished())).toEqual([]);
    });

    test("tells what is missing and present, in any order of its blocks", async () => {
      using fixture = await open();
      const content = noise(5 * BLOCK_BYTES + 3);
      const part = await fixture.storage.receive("a", factsOf(content), "fail");
      const at = (block: number) => Math.min(content.length, block * BLOCK_BYTES);
      const covered = () => part.missing.reduce((sum, [from, to]) => sum + to - from, 0);
      expect([part.present, covered()]).toEqual([0, content.length]);
      for (const block of [4, 1, 5]) expect(await writeBlock(part, content, at(block))).toBe(true);
      expect(part.present).toBe(2 * BLOCK_BYTES + 3);
      expect(covered()).toBe(3 * BLOCK_BYTES);
      expect(part.missing[0]?.[0]).toBe(0);
      expect(await writeBlock(part, content, at(4))).toBe(false);
      await writeMissing(part, content);
      expect([part.present, part.missing.length]).toEqual([content.length, 0]);
      await part.commit();
      expect((await readWhole(fixture.storage, "a")).equals(content)).toBe(true);
    });

    test("takes its blocks at once, and one that comes twice at once is one", async () => {
      using fixture = await open();
      const part = await fixture.storage.receive("a", factsOf(LARGE), "fail");
      const offsets = [0, BLOCK_BYTES, 2 * BLOCK_BYTES, 0, BLOCK_BYTES, 2 * BLOCK_BYTES];
      const isNew = await Promise.all(offsets.map((offset) => writeBlock(part, LARGE, offset)));
      expect(isNew.filter(Boolean)).toHaveLength(3);
      expect(part.present).toBe(LARGE.length);
      await part.commit();
      expect((await readWhole(fixture.storage, "a")).equals(LARGE)).toBe(true);
    });

    test("whose source announces holes needs only its data, drops blocks for a hole, and reads like its source", async () => {
      using fixture = await open();
      const hole: Range = [BLOCK_BYTES, 3 * BLOCK_BYTES];
      const content = noise(4 * BLOCK_BYTES + 3).fill(0, ...hole);
      const part = await fixture.storage.receive("a", factsOf(content, { holes: [hole] }), "fail");
      const wanted = blocksOf(content, part.missing).map(({ offset }) => offset);
      expect(wanted).toEqual([0, 3 * BLOCK_BYTES, 4 * BLOCK_BYTES]);
      expect(part.present).toBe(2 * BLOCK_BYTES);
      for (const offset of [BLOCK_BYTES, 2 * BLOCK_BYTES]) {
        expect(await writeBlock(part, noise(content.length, 2), offset)).toBe(false);
      }
      expect(await writeMissing(part, content)).toBe(2 * BLOCK_BYTES + 3);
      expect(part.present).toBe(content.length);
      await part.commit();
      expect((await readWhole(fixture.storage, "a")).equals(content)).toBe(true);
    });

    test("goes on after keep() with what was written, and only when it is from the same source", async () => {
      using fixture = await open();
      const first = await fixture.storage.receive("a", factsOf(LARGE), "fail");
      await writeBlock(first, LARGE, BLOCK_BYTES);
      await first.keep();
      const again = await fixture.storage.receive("a", factsOf(LARGE), "fail");
      expect(again.present).toBe(BLOCK_BYTES);
      expect(await writeMissing(again, LARGE)).toBe(LARGE.length - BLOCK_BYTES);
      await again.commit();
      expect((await readWhole(fixture.storage, "a")).equals(LARGE)).toBe(true);
    });

    test.each([
      ["another etag", { etag: "etag-2" }],
      ["another size", { size: LARGE.length + 1 }],
    ])("begins anew for a source with %s", async (_, changes) => {
      using fixture = await open();
      const first = await fixture.storage.receive("a", factsOf(LARGE), "fail");
      await writeMissing(first, LARGE);
      await first.keep();
      const again = await fixture.storage.receive("a", factsOf(LARGE, changes), "fail");
      expect(again.present).toBe(0);
      const other = noise(again.facts.size, 9);
      await writeMissing(again, other);
      await again.commit();
      expect((await readWhole(fixture.storage, "a")).equals(other)).toBe(true);
    });

    test("leaves nothing after discard(), so that the next begins from the start", async () => {
      using fixture = await open();
      const first = await fixture.storage.receive("a", factsOf(LARGE), "fail");
      await writeBlock(first, LARGE, 0);
      await first.discard();
      expect(await fixture.storage.place("a", factsOf(LARGE), "fail")).toEqual({ outcome: "vacant", path: "a" });
      const again = await fixture.storage.receive("a", factsOf(LARGE), "fail");
      expect(again.present).toBe(0);
      await again.discard();
      await again.discard();
    });

    test("takes the folders with it that were made for it, at discard(), and no other", async () => {
      using fixture = await open();
      const { storage } = fixture;
      await (await storage.receive("one/two/a", factsOf(LARGE), "fail")).discard();
      expect((await walk(storage)).paths).toEqual([]);
      // Asked for by itself meanwhile: that was answered.
      const asked = await storage.receive("one/two/a", factsOf(LARGE), "fail");
      expect(await storage.makeFolder("one")).toBe(false);
      await asked.discard();
      expect((await walk(storage)).paths).toEqual(["one"]);
      // Something else is in it.
      const beside = await storage.receive("one/two/a", factsOf(LARGE), "fail");
      await store(storage, "one/two/b", SMALL);
      await beside.discard();
      expect((await walk(storage)).paths).toEqual(["one", "one/two", "one/two/b"]);
      // It was there before.
      await storage.makeFolder("before");
      await (await storage.receive("before/a", factsOf(LARGE), "fail")).discard();
      expect((await walk(storage)).paths).toEqual(["before", "one", "one/two", "one/two/b"]);
    });

    test("leaves a folder of another's, at discard(), where one went that was made for a file before", async () => {
      using fixture = await open();
      const { storage } = fixture;
      await (await storage.receive("docs/a", factsOf(LARGE), "fail")).discard();
      fixture.put("docs/b", "theirs");
      await storage.remove("docs/b", { recursive: false });
      await (await storage.receive("docs/a", factsOf(LARGE), "fail")).discard();
      expect((await walk(storage)).paths).toEqual(["docs"]);
    });

    test.each(["renamed", "removed"])("is stored nowhere when its folder was %s meanwhile: NOT_FOUND", async (what) => {
      using fixture = await open();
      const { storage } = fixture;
      const part = await storage.receive("docs/a", factsOf(LARGE), "fail");
      await writeMissing(part, LARGE);
      const remove = () => storage.remove("docs", { recursive: true });
      if (what === "renamed") await storage.rename("docs", "moved", { overwrite: false });
      else if (!traits.hidesOpenFiles) await remove();
      else expect(await codeOf(remove)).toBe("BUSY");
      expect(await codeOf(() => part.commit())).toBe("NOT_FOUND");
      // What was open is closed a moment later.
      if (what === "removed" && traits.hidesOpenFiles)
        await until(() =>
          remove().then(
            () => true,
            () => false,
          ),
        );
      expect((await walk(storage)).paths).toEqual(what === "renamed" ? ["moved"] : []);
      // It begins anew, with its folder.
      expect(await store(storage, "docs/a", LARGE)).toBe("docs/a");
      expect((await readWhole(storage, "docs/a")).equals(LARGE)).toBe(true);
    });

    test("is BUSY while another has it, also for another source, and not after it", async () => {
      using fixture = await open();
      const receive = (etag: string) => fixture.storage.receive("a", factsOf(LARGE, { etag }), "fail");
      for (const end of ["keep", "discard"] as const) {
        const part = await receive("etag-1");
        expect(await codeOf(() => receive("etag-1"))).toBe("BUSY");
        expect(await codeOf(() => receive("etag-2"))).toBe("BUSY");
        await part[end]();
      }
      const last = await receive("etag-1");
      await writeMissing(last, LARGE);
      await last.commit();
      await (await receive("etag-1")).discard();
    });

    test("whose name was taken meanwhile is EXISTS, is kept, and can come by another policy", async () => {
      using fixture = await open();
      const part = await fixture.storage.receive("a", factsOf(LARGE), "fail");
      await writeMissing(part, LARGE);
      fixture.put("a", "theirs");
      expect(await codeOf(() => part.commit())).toBe("EXISTS");
      expect((await readWhole(fixture.storage, "a")).toString()).toBe("theirs");
      const again = await fixture.storage.receive("a", factsOf(LARGE), "overwrite");
      expect(again.missing).toEqual([]);
      expect(await again.commit()).toBe("a");
      expect((await readWhole(fixture.storage, "a")).equals(LARGE)).toBe(true);
    });

    test('whose name was taken meanwhile finds another with "rename"', async () => {
      using fixture = await open();
      const part = await fixture.storage.receive("docs.d/a", factsOf(LARGE), "rename");
      await writeMissing(part, LARGE);
      fixture.put("docs.d/a", "theirs");
      expect(await part.commit()).toBe("docs.d/a (2)");
      expect((await readWhole(fixture.storage, "docs.d/a")).toString()).toBe("theirs");
      expect((await readWhole(fixture.storage, "docs.d/a (2)")).equals(LARGE)).toBe(true);
    });
  });
}

/** As list() sorts: what is below a folder comes before its neighbours. */
function byFolder(a: string, b: string): number {
  return a.replaceAll("/", "\0") < b.replaceAll("/", "\0") ? -1 : 1;
}
