import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import type { LocalStorage } from "../../../lib/storage/local/local.ts";
import { BLOCK, BoundedSite, outcomeOf, writeBlocks } from "../../support/bounded-site.ts";
import { until } from "../../support/until.ts";

/** Ten blocks, and room for the journals of what is under way, which count as well. */
const QUOTA = 10.5 * BLOCK;
const ALMOST = QUOTA - 65_536;

describe("a quota", () => {
  test("lets in what fits to the last byte, and nothing more", async () => {
    using site = await BoundedSite.open({ quotaBytes: 1_000 });
    expect(await site.store("a", 999)).toBe("a");
    expect(await outcomeOf(site.store("b", 2))).toBe("QUOTA_EXCEEDED");
    expect(await site.store("c", 1)).toBe("c");
    expect(await outcomeOf(site.store("d", 1))).toBe("QUOTA_EXCEEDED");
    expect(await site.store("empty", 0)).toBe("empty");
    expect(readdirSync(site.folder.path).sort()).toEqual(["a", "c", "empty"]);
  });

  test("says how much more is needed than is left of the quota", async () => {
    using site = await BoundedSite.open({ quotaBytes: 3_000_000 });
    await site.store("a", 1_000_000);
    const message = `"b" needs 2.5 MB more; 2.0 MB are left of the repository's quota of 3.0 MB.`;
    await expect(site.store("b", 2_500_000)).rejects.toMatchObject({ code: "QUOTA_EXCEEDED", message });
    const exact = `"b" needs 2000001 bytes more; 2000000 are left of the repository's quota of 3.0 MB.`;
    await expect(site.store("b", 2_000_001)).rejects.toMatchObject({ message: exact });
  });

  test("says how much more is needed than is free beside the reserve", async () => {
    using site = await BoundedSite.open({ keepFreeBytes: 64_000_000 }, 169_000_000);
    const message = `"b" needs 2.0 GB more; 105 MB are free on the server's disk, apart from the 64 MB that it keeps.`;
    await expect(site.receive("b", 2e9)).rejects.toMatchObject({ code: "NO_SPACE", message });
  });

  test("refuses a large file before its first byte, and leaves nothing of it", async () => {
    using site = await BoundedSite.open({ quotaBytes: QUOTA });
    for (const path of ["large", "new/deeper/large"]) {
      expect(await outcomeOf(site.receive(path, QUOTA + 1))).toBe("QUOTA_EXCEEDED");
      expect(readdirSync(site.folder.path)).toEqual([]);
    }
    expect(await outcomeOf(site.receive("fits", ALMOST))).toBe("stored");
  });

  test("leaves as many free bytes as it lets in, and no more than the disk has", async () => {
    using site = await BoundedSite.open({ quotaBytes: 1_000, keepFreeBytes: 200 }, 900);
    await site.store("a", 400);
    expect(site.storage.freeBytes()).toBe(300);
    expect(await outcomeOf(site.store("b", 301))).toBe("NO_SPACE");
    await site.store("b", 300);
    expect(site.storage.freeBytes()).toBe(0);
  });

  test("counts what was there at the start", async () => {
    using site = await BoundedSite.open({ quotaBytes: 1_000 });
    writeFileSync(site.folder.join("old"), new Uint8Array(900));
    expect(await outcomeOf(site.store("new", 101))).toBe("QUOTA_EXCEEDED");
    expect(await site.store("new", 100)).toBe("new");
  });

  test("a file that is replaced makes room, once the new one is there", async () => {
    using site = await BoundedSite.open({ quotaBytes: 1_000 });
    await site.store("a", 400);
    expect(await outcomeOf(site.store("a", 700, "overwrite"))).toBe("QUOTA_EXCEEDED");
    expect(await site.store("a", 500, "overwrite")).toBe("a");
    expect(await site.store("b", 500)).toBe("b");
    expect(await outcomeOf(site.store("c", 1))).toBe("QUOTA_EXCEEDED");
  });

  test("a large file that replaces another makes room as well", async () => {
    using site = await BoundedSite.open({ quotaBytes: QUOTA });
    await (await site.receive("a", 4 * BLOCK)).commit();
    await (await site.receive("a", 5 * BLOCK, { exists: "overwrite" })).commit();
    expect(await outcomeOf(site.receive("b", 6 * BLOCK))).toBe("QUOTA_EXCEEDED");
    expect(await outcomeOf(site.receive("b", 5 * BLOCK))).toBe("stored");
  });

  test("what is removed makes room at once", async () => {
    using site = await BoundedSite.open({ quotaBytes: 1_000 });
    await site.store("folder/a", 1_000);
    expect(await outcomeOf(site.store("b", 1_000))).toBe("QUOTA_EXCEEDED");
    await site.storage.remove("folder", { recursive: true });
    expect(await site.store("b", 1_000)).toBe("b");
  });

  test("what a rename replaces makes room at once", async () => {
    using site = await BoundedSite.open({ quotaBytes: 1_000 });
    await site.store("a", 500);
    await site.store("b", 500);
    await site.storage.rename("a", "b", { overwrite: true });
    expect(await site.store("c", 500)).toBe("c");
    expect(await outcomeOf(site.store("d", 1))).toBe("QUOTA_EXCEEDED");
  });

  test("what a transfer leaves unfinished counts; when it resumes, only the rest is new", async () => {
    using site = await BoundedSite.open({ quotaBytes: QUOTA });
    await (await site.receive("a", 8 * BLOCK, { blocks: 6 })).keep();
    expect(await outcomeOf(site.store("b", BLOCK))).toBe("stored");
    const filler = await site.receive("c", 3 * BLOCK, { blocks: 3 });
    // Six of a, one of b, three of c: there is room for nothing, not even the rest of a.
    expect(await outcomeOf(site.receive("a", 8 * BLOCK))).toBe("QUOTA_EXCEEDED");
    await filler.discard();
    const part = await site.receive("a", 8 * BLOCK, { blocks: 0 });
    expect(part.present).toBe(6 * BLOCK);
    await writeBlocks(part, 6, 8);
    expect(await part.commit()).toBe("a");
    expect(await outcomeOf(site.store("d", BLOCK))).toBe("stored");
    expect(await outcomeOf(site.store("e", BLOCK))).toBe("QUOTA_EXCEEDED");
  });

  test("of files that come at once together no more than fits", async () => {
    using site = await BoundedSite.open({ quotaBytes: 1_000 });
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) => outcomeOf(site.store(`f${index}`, 300))),
    );
    expect(outcomes.filter((outcome) => outcome === "stored")).toHaveLength(3);
    expect(outcomes.filter((outcome) => outcome === "QUOTA_EXCEEDED")).toHaveLength(17);
    expect(site.held).toBe(900);
  });

  test("of large files that are under way at once together no more than fits, before they have a byte", async () => {
    using site = await BoundedSite.open({ quotaBytes: QUOTA });
    const paths = ["a", "b", "c", "d", "e"];
    const outcomes = await Promise.all(paths.map((path) => outcomeOf(site.receive(path, 4 * BLOCK, { blocks: 0 }))));
    expect(outcomes.sort()).toEqual(["QUOTA_EXCEEDED", "QUOTA_EXCEEDED", "QUOTA_EXCEEDED", "stored", "stored"]);
  });

  test("a transfer that gives up gives back what it was promised", async () => {
    using site = await BoundedSite.open({ quotaBytes: QUOTA });
    for (let round = 0; round < 3; round++) {
      await (await site.receive("a", ALMOST, { blocks: round })).discard();
    }
    expect(await outcomeOf(site.receive("b", ALMOST))).toBe("stored");
  });

  test("a small file that could not be stored gives back what it was promised", async () => {
    using site = await BoundedSite.open({ quotaBytes: 1_000, keepFreeBytes: 100 }, 1_100);
    await site.store("a", 400);
    for (let tries = 0; tries < 3; tries++) expect(await outcomeOf(site.store("a", 300))).toBe("EXISTS");
    expect(site.storage.freeBytes()).toBe(600);
    expect(await outcomeOf(site.store("b", 600))).toBe("stored");
  });

  test("a file that could not get its name counts as long as its part is there", async () => {
    using site = await BoundedSite.open({ quotaBytes: QUOTA });
    const part = await site.receive("a", 4 * BLOCK);
    await site.store("a", 10);
    expect(await outcomeOf(part.commit())).toBe("EXISTS");
    expect(await outcomeOf(site.receive("b", 7 * BLOCK))).toBe("QUOTA_EXCEEDED");
    expect(await outcomeOf(site.receive("b", 6 * BLOCK))).toBe("stored");
  });

  test("files that went without the server make room, a minute later", async () => {
    using site = await BoundedSite.open({ quotaBytes: 1_000 });
    await site.store("a", 1_000);
    rmSync(site.folder.join("a"));
    await site.clock.advance(60_000);
    expect(await site.store("b", 1_000)).toBe("b");
  });

  test("it is not counted again for each file that is too much", async () => {
    using site = await BoundedSite.open({ quotaBytes: 1_000 });
    await site.store("a", 1_000);
    let walks = 0;
    const { list } = site.inner;
    site.inner.list = (...args) => {
      walks++;
      return list.apply(site.inner, args);
    };
    for (let tries = 0; tries < 50; tries++) expect(await outcomeOf(site.store("b", 1))).toBe("QUOTA_EXCEEDED");
    await site.clock.advance(60_000);
    for (let tries = 0; tries < 50; tries++) expect(await outcomeOf(site.store("b", 1))).toBe("QUOTA_EXCEEDED");
    expect(walks).toBe(1);
  });

  test.each(["list", "unfinished"] as const)(
    "a file that is finished during a count, after its %s, is not missed",
    async (walked) => {
      using site = await BoundedSite.open({ quotaBytes: QUOTA });
      const part = await site.receive("a", 4 * BLOCK);
      const inner: Pick<LocalStorage, "list" | "unfinished"> = site.inner;
      const walk: (...args: never[]) => AsyncIterable<unknown> = inner[walked].bind(site.inner);
      let isFirst = true;
      Object.assign(inner, {
        async *[walked](...args: never[]) {
          yield* walk(...args);
          if (isFirst) await part.commit();
          isFirst = false;
        },
      });
      // Refused by what is known, and so it is counted again.
      expect(await outcomeOf(site.receive("b", 7 * BLOCK))).toBe("QUOTA_EXCEEDED");
      expect(isFirst).toBe(false);
      expect(await outcomeOf(site.receive("c", 7 * BLOCK))).toBe("QUOTA_EXCEEDED");
      expect(await outcomeOf(site.receive("d", 6 * BLOCK))).toBe("stored");
    },
  );

  test("a file that is renamed during a count, from what it has not seen to what it has, is not missed", async () => {
    using site = await BoundedSite.open({ quotaBytes: 1_000 });
    await site.store("z", 600);
    await site.store("gone", 1);
    await site.storage.remove("gone", { recursive: false });
    const { list } = site.inner;
    site.inner.list = async function* (...args) {
      site.inner.list = list;
      await site.storage.rename("z", "a", { overwrite: false });
      for await (const batch of list.apply(site.inner, args)) yield batch.filter(({ path }) => path !== "a");
    };
    expect(await outcomeOf(site.store("b", 600))).toBe("QUOTA_EXCEEDED");
    expect(await outcomeOf(site.store("c", 600))).toBe("QUOTA_EXCEEDED");
    expect(await outcomeOf(site.store("d", 400))).toBe("stored");
  });

  test("a file whose rename began before a count, and ends after it, is not missed", async () => {
    using site = await BoundedSite.open({ quotaBytes: 1_000 });
    await site.store("z", 600);
    await site.store("gone", 1);
    await site.storage.remove("gone", { recursive: false });
    const [begun, counted] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { list, rename } = site.inner;
    site.inner.rename = async (...args) => {
      await begun.promise;
      await rename.apply(site.inner, args);
      await counted.promise;
    };
    site.inner.list = async function* (...args) {
      site.inner.list = list;
      begun.resolve();
      await until(() => existsSync(site.folder.join("a")));
      for await (const batch of list.apply(site.inner, args)) yield batch.filter(({ path }) => path !== "a");
    };
    const renamed = site.storage.rename("z", "a", { overwrite: false });
    expect(await outcomeOf(site.store("b", 600))).toBe("QUOTA_EXCEEDED");
    expect(await outcomeOf(site.store("c", 600))).toBe("QUOTA_EXCEEDED");
    counted.resolve();
    await renamed;
    expect(await outcomeOf(site.store("d", 600))).toBe("QUOTA_EXCEEDED");
    expect(await outcomeOf(site.store("e", 400))).toBe("stored");
  });
});
