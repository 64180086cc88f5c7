import { describe, expect, test } from "bun:test";
import { ftruncateSync, openSync, readdirSync, readFileSync, statSync, truncateSync } from "node:fs";
import { BLOCK_BYTES, type Range } from "../../../lib/block.ts";
import { MAX_HOLES, sumOf } from "../../../lib/holes.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { BLOCK, BoundedSite, outcomeOf } from "../../support/bounded-site.ts";
import { keptBytes, makeSparse, noHoles } from "../../support/sparse.ts";
import { factsOf, writeBlock, writeMissing } from "../../support/storing.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { noise } from "../../support/transport-recorder.ts";

const check = test.skipIf(noHoles !== undefined);

async function holesOf(size: number, data: Record<number, Uint8Array>): Promise<readonly Range[]> {
  using folder = new TempFolder();
  makeSparse(folder.join("a"), size, data);
  const file = await (await LocalStorage.at(folder.path)).open("a");
  try {
    return file.holes();
  } finally {
    await file.close();
  }
}

describe("the holes of a file of this machine", () => {
  check("are those of its disk, in whole blocks", async () => {
    const one = noise(4096);
    expect(await holesOf(10 * BLOCK, {})).toEqual([[0, 10 * BLOCK]]);
    expect(await holesOf(10 * BLOCK + 5, { [3 * BLOCK + 8192]: one })).toEqual([
      [0, 3 * BLOCK],
      [4 * BLOCK, 10 * BLOCK + 5],
    ]);
    expect(await holesOf(3 * BLOCK, { 0: one, [BLOCK - 4096]: one, [2 * BLOCK]: one })).toEqual([[BLOCK, 2 * BLOCK]]);
    expect(await holesOf(3 * BLOCK, { [BLOCK - 4096]: noise(8192), [2 * BLOCK + 5]: one })).toEqual([]);
  });

  test("are none where all is data, and in a file of one block", async () => {
    expect(await holesOf(3 * BLOCK, { 0: noise(3 * BLOCK) })).toEqual([]);
    expect(await holesOf(BLOCK, {})).toEqual([]);
  });

  check("are the largest, when there are more than may be told", async () => {
    const data = Object.fromEntries(Array.from({ length: 1_200 }, (_, at) => [at * 3 * BLOCK, noise(1)]));
    const last = 1_200 * 3 * BLOCK;
    const holes = await holesOf(last + 50 * BLOCK, data);
    expect(holes).toHaveLength(MAX_HOLES);
    expect(holes.at(-1)).toEqual([last - 2 * BLOCK, last + 50 * BLOCK]);
    expect(holes.every(([from], at) => from >= (holes[at - 1]?.[1] ?? 0))).toBe(true);
  });
});

describe("a part with holes", () => {
  const SIZE = 6 * BLOCK + 5;
  const HOLES: Range[] = [
    [0, 2 * BLOCK],
    [5 * BLOCK, SIZE],
  ];
  const content = noise(SIZE);
  for (const [from, to] of HOLES) content.fill(0, from, to);
  const facts = factsOf(content, { holes: HOLES });

  check("wants only its data, and is whole with it, holes and all", async () => {
    using folder = new TempFolder();
    const storage = await LocalStorage.at(folder.path);
    const part = await storage.receive("a", facts, "fail");
    expect(part.missing).toEqual([[2 * BLOCK, 5 * BLOCK]]);
    expect(part.present).toBe(sumOf(HOLES));
    await writeMissing(part, content);
    await part.commit();
    expect(readFileSync(folder.join("a")).equals(content)).toBe(true);
    expect(keptBytes(folder.join("a"))).toBeLessThan(4 * BLOCK);
    expect(readdirSync(folder.path)).toEqual(["a"]);
  });

  test("drops a block that comes for a hole", async () => {
    using folder = new TempFolder();
    const storage = await LocalStorage.at(folder.path);
    const part = await storage.receive("a", facts, "fail");
    expect(await writeBlock(part, noise(SIZE, 2), BLOCK)).toBe(false);
    await writeMissing(part, content);
    await part.commit();
    expect(readFileSync(folder.join("a")).equals(content)).toBe(true);
  });

  test("resumes where it was left; with other holes it starts from the beginning", async () => {
    using folder = new TempFolder();
    const storage = await LocalStorage.at(folder.path);
    const first = await storage.receive("a", facts, "fail");
    await writeBlock(first, content, 3 * BLOCK);
    await first.keep();
    const resume = {
      etag: facts.etag,
      missing: [
        [2 * BLOCK, 3 * BLOCK],
        [4 * BLOCK, 5 * BLOCK],
      ],
    };
    expect(await storage.place("a", facts, "fail")).toMatchObject({ outcome: "vacant", resume } as never);
    const again = await storage.receive("a", facts, "fail");
    expect(again.missing).toEqual(resume.missing as never);
    await again.keep();
    const other = await storage.receive("a", { ...facts, holes: HOLES.slice(1) }, "fail");
    expect(other.missing).toEqual([[0, 5 * BLOCK]]);
    // What the first attempt has written is no hole of this one.
    await writeMissing(other, content);
    await other.commit();
    expect(readFileSync(folder.join("a")).equals(content)).toBe(true);
  });

  check("of 8 TiB that is all hole costs neither room nor memory nor time", async () => {
    using folder = new TempFolder();
    const storage = await LocalStorage.at(folder.path);
    const size = 2 ** 43;
    const fd = openSync(folder.join("probe"), "w");
    try {
      ftruncateSync(fd, size);
    } catch {
      return; // no disk for such files
    }
    const before = process.memoryUsage().rss;
    for (let round = 0; round < 20; round++) {
      const part = await storage.receive(`huge-${round}`, { ...facts, size, holes: [[0, size]] }, "fail");
      expect(part.missing).toEqual([]);
      await part.keep();
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 2 ** 20);
    for (const name of readdirSync(folder.path)) expect(keptBytes(folder.join(name))).toBeLessThan(2 ** 20);
    for (const name of readdirSync(folder.path).filter((each) => each.includes("journal")))
      expect(statSync(folder.join(name)).size).toBeLessThan(2 ** 20);
    truncateSync(folder.join("probe"), 0);
  });

  check("needs room for its data alone, and as much of the quota as its size", async () => {
    using site = await BoundedSite.open({ keepFreeBytes: BLOCK, quotaBytes: 100 * BLOCK }, 20 * BLOCK);
    const size = 90 * BLOCK;
    const sparse = { ...facts, size, holes: [[2 * BLOCK, size]] as Range[] };
    const part = await site.storage.receive("a", sparse, "fail");
    await writeMissing(part, noise(2 * BLOCK_BYTES));
    await part.commit();
    expect(await outcomeOf(site.store("b", 1000))).not.toBe("QUOTA_EXCEEDED");
    expect(await outcomeOf(site.storage.receive("c", { ...sparse, size: 11 * BLOCK }, "fail"))).toBe("QUOTA_EXCEEDED");
  });

  check("that is refused for its size leaves nothing", async () => {
    using site = await BoundedSite.open({ quotaBytes: 10 * BLOCK });
    const sparse = { ...facts, size: 11 * BLOCK, holes: [[0, 11 * BLOCK]] as Range[] };
    expect(await outcomeOf(site.storage.receive("a", sparse, "fail"))).toBe("QUOTA_EXCEEDED");
    expect(readdirSync(site.folder.path)).toEqual([]);
  });
});
