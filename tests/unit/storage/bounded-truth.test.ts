import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { BLOCK, BoundedSite, outcomeOf, writeBlocks } from "../../support/bounded-site.ts";
import { Random } from "../../support/random.ts";

/** Ten blocks, and room for the journals of what is under way, which count as well. */
const QUOTA = 10.5 * BLOCK;

describe("what counts is what is there", () => {
  test("files that came without the server are noticed, a minute later", async () => {
    using site = await BoundedSite.open({ quotaBytes: 1_000 });
    await site.store("a", 100);
    writeFileSync(site.folder.join("came"), new Uint8Array(900));
    await site.clock.advance(60_000);
    expect(await outcomeOf(site.store("b", 100))).toBe("QUOTA_EXCEEDED");
  });

  test("a file that is replaced twice at once makes room once", async () => {
    using site = await BoundedSite.open({ quotaBytes: 1_000 });
    await site.store("a", 400);
    await site.store("b", 400);
    await Promise.all([site.store("a", 10, "overwrite"), site.store("a", 10, "overwrite")]);
    // 10 and 400 are there.
    expect(await outcomeOf(site.store("c", 591))).toBe("QUOTA_EXCEEDED");
    expect(await outcomeOf(site.store("c", 590))).toBe("stored");
  });

  test("a file that goes while another is on its way to replace it makes room once", async () => {
    using site = await BoundedSite.open({ quotaBytes: QUOTA });
    await (await site.receive("a", 4 * BLOCK)).commit();
    const next = await site.receive("a", 5 * BLOCK, { blocks: 0, exists: "overwrite" });
    await site.storage.remove("a", { recursive: false });
    // Too much: it is counted anew.
    expect(await outcomeOf(site.receive("b", 9 * BLOCK))).toBe("QUOTA_EXCEEDED");
    await writeBlocks(next, 0, 5);
    await next.commit();
    expect(await outcomeOf(site.receive("c", 6 * BLOCK))).toBe("QUOTA_EXCEEDED");
    expect(await outcomeOf(site.receive("c", 5 * BLOCK))).toBe("stored");
  });

  test("a count while a file arrives does not count its part twice", async () => {
    using site = await BoundedSite.open({ quotaBytes: QUOTA });
    const part = await site.receive("a", 6 * BLOCK, { blocks: 5 });
    await site.store("gone", 1);
    await site.storage.remove("gone", { recursive: false });
    expect(await outcomeOf(site.receive("large", 5 * BLOCK, { blocks: 0 }))).toBe("QUOTA_EXCEEDED");
    expect(await outcomeOf(site.receive("b", 4 * BLOCK))).toBe("stored");
    await writeBlocks(part, 5, 6);
    expect(await part.commit()).toBe("a");
  });

  test("a part that starts again because its source has changed makes room for itself", async () => {
    using site = await BoundedSite.open({ quotaBytes: QUOTA });
    await (await site.receive("a", 8 * BLOCK, { blocks: 7, etag: "old" })).keep();
    const part = await site.receive("a", 9 * BLOCK, { etag: "new" });
    expect(await part.commit()).toBe("a");
    expect(await outcomeOf(site.store("b", BLOCK))).toBe("stored");
    expect(await outcomeOf(site.store("c", BLOCK))).toBe("QUOTA_EXCEEDED");
  });

  test("an unfinished file that is cleaned away makes room", async () => {
    using site = await BoundedSite.open({ quotaBytes: QUOTA });
    await (await site.receive("a", 8 * BLOCK, { blocks: 8 })).keep();
    expect(await outcomeOf(site.receive("b", 3 * BLOCK, { blocks: 0 }))).toBe("QUOTA_EXCEEDED");
    for await (const { path } of site.storage.unfinished()) await site.storage.removeUnfinished(path);
    expect(await outcomeOf(site.receive("b", 3 * BLOCK))).toBe("stored");
  });
});

test("whatever is done at once and in turn, it never holds more than its quota", async () => {
  const random = new Random("quota");
  const quota = 5 * BLOCK;
  const path = () => `f${random.below(4)}`;
  for (let run = 0; run < 6; run++) {
    using site = await BoundedSite.open({ quotaBytes: quota });
    const large = (blocks?: number) =>
      site.receive(path(), 1 + random.below(3 * BLOCK), {
        exists: "overwrite",
        ...(blocks !== undefined && { blocks }),
      });
    const steps: (() => Promise<unknown>)[] = [
      () => site.store(path(), 1 + random.below(BLOCK), "overwrite"),
      () => site.store(path(), 1 + random.below(BLOCK), "rename"),
      async () => (await large()).commit(),
      async () => (await large(1)).keep(),
      async () => (await large(1)).discard(),
      () => site.storage.remove(path(), { recursive: true }),
      () => site.storage.rename(path(), path(), { overwrite: true }),
    ];
    for (let round = 0; round < 40; round++) {
      const works = Array.from({ length: 1 + random.below(6) }, () => steps[random.below(steps.length)]?.());
      await Promise.allSettled(works);
      expect(site.held).toBeLessThanOrEqual(quota);
    }
  }
});

describe("room that is kept free", () => {
  test("is kept: what would take of it is refused before its first byte", async () => {
    using site = await BoundedSite.open({ keepFreeBytes: BLOCK }, 4 * BLOCK);
    expect(await outcomeOf(site.receive("a", 3 * BLOCK + 1))).toBe("NO_SPACE");
    expect(site.held).toBe(0);
    await (await site.receive("a", 3 * BLOCK)).commit();
    expect(await outcomeOf(site.store("b", 1))).toBe("NO_SPACE");
    await site.storage.remove("a", { recursive: false });
    expect(await outcomeOf(site.store("b", BLOCK))).toBe("stored");
  });

  test("what is promised to one transfer is not promised to another", async () => {
    using site = await BoundedSite.open({ keepFreeBytes: BLOCK }, 6 * BLOCK);
    const part = await site.receive("a", 4 * BLOCK, { blocks: 0 });
    expect(await outcomeOf(site.receive("b", 2 * BLOCK))).toBe("NO_SPACE");
    expect(await outcomeOf(site.store("c", BLOCK))).toBe("stored");
    await part.discard();
    expect(await outcomeOf(site.receive("b", 4 * BLOCK))).toBe("stored");
  });

  test("what has come of a transfer does not count twice: on the disk, and as promised", async () => {
    using site = await BoundedSite.open({ keepFreeBytes: BLOCK }, 10 * BLOCK);
    const part = await site.receive("a", 6 * BLOCK, { blocks: 5 });
    // Five are free, one is for the rest of a, one is kept.
    expect(await outcomeOf(site.receive("b", 3 * BLOCK, { blocks: 0 }))).toBe("stored");
    await writeBlocks(part, 5, 6);
    expect(await part.commit()).toBe("a");
  });
});
