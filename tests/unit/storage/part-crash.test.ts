import { describe, expect, test } from "bun:test";
import { closeSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { BLOCK_BYTES } from "../../../lib/block.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { codeOf } from "../../support/fault.ts";
import { receiveElsewhere } from "../../support/part-process.ts";
import { walk } from "../../support/repository.ts";
import { factsOf, writeBlock, writeMissing } from "../../support/storing.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { noise } from "../../support/transport-recorder.ts";

const SIZE = 4 * BLOCK_BYTES + 11;
const CONTENT = noise(SIZE, 7);
const at = (block: number) => block * BLOCK_BYTES;
const range = (from: number, to: number) => [at(from), Math.min(SIZE, at(to))];

/** A folder with a part of CONTENT that has the blocks 0, 1 and 3, and is nobody's. */
async function withPart(): Promise<{ folder: TempFolder; storage: LocalStorage; part: string; journal: string }> {
  const folder = new TempFolder();
  const storage = await LocalStorage.at(folder.path);
  const part = await storage.receive("a", factsOf(CONTENT), "fail");
  for (const block of [0, 1, 3]) await writeBlock(part, CONTENT, at(block));
  await part.keep();
  return { folder, storage, part: folder.join("a.commserver-part"), journal: folder.join("a.commserver-journal") };
}

/** Go on with it to the end; returns what was missing before. */
async function finish(folder: TempFolder, storage: LocalStorage): Promise<number[][]> {
  const part = await storage.receive("a", factsOf(CONTENT), "fail");
  const missing = part.missing.map((one) => [...one]);
  await writeMissing(part, CONTENT);
  await part.commit();
  expect(readFileSync(folder.join("a")).equals(CONTENT)).toBe(true);
  expect((await walk(storage)).paths).toEqual(["a"]);
  return missing;
}

function patch(file: string, position: number, bytes: Uint8Array): void {
  const fd = openSync(file, "r+");
  writeSync(fd, bytes, 0, bytes.length, position);
  closeSync(fd);
}

const EVERYTHING = [range(0, 5)];
const THE_REST = [range(2, 3), range(4, 5)];

describe("a file whose receiver was killed", () => {
  test("is gone on with by another process, and only the missing blocks are asked for", async () => {
    using folder = new TempFolder();
    await receiveElsewhere(folder.path, "a", {
      size: SIZE,
      seed: 7,
      offsets: [at(0), at(1), at(3)],
      ending: "crash",
    });
    const storage = await LocalStorage.at(folder.path);
    expect((await walk(storage)).paths).toEqual([]);
    const placement = await storage.place("a", factsOf(CONTENT), "fail");
    expect(placement).toMatchObject({ outcome: "vacant", resume: { etag: "etag-1", missing: THE_REST } });
    expect(await finish(folder, storage)).toEqual(THE_REST);
  });

  test("is BUSY as long as that process lives, and free when it is dead", async () => {
    using folder = new TempFolder();
    const options = { size: SIZE, seed: 7, offsets: [at(2)], ending: "stay" } as const;
    const child = await receiveElsewhere(folder.path, "a", options);
    const storage = await LocalStorage.at(folder.path);
    try {
      expect(await codeOf(() => storage.receive("a", factsOf(CONTENT), "fail"))).toBe("BUSY");
    } finally {
      child.kill("SIGKILL");
      await child.exited;
    }
    expect(await finish(folder, storage)).toEqual([range(0, 2), range(3, 5)]);
  });

  test("just after the file had its name leaves a journal without a part: the next starts from the beginning", async () => {
    const { folder, storage, journal } = await withPart();
    using _folder = folder;
    const left = readFileSync(journal);
    await finish(folder, storage);
    writeFileSync(journal, left);
    const facts = factsOf(CONTENT, { modifiedAt: 5 });
    expect(await storage.place("a", facts, "overwrite")).toEqual({ outcome: "vacant", path: "a" });
    const again = await storage.receive("a", factsOf(CONTENT), "overwrite");
    expect(again.present).toBe(0);
    await again.discard();
    expect(readFileSync(folder.join("a")).equals(CONTENT)).toBe(true);
  });
});

describe("a journal that can't be believed", () => {
  const DAMAGES: [what: string, damage: (journal: string, bytes: Buffer) => void][] = [
    ["empty", (journal) => truncateSync(journal, 0)],
    ["cut in its facts", (journal) => truncateSync(journal, 100)],
    ["cut behind its facts", (journal) => truncateSync(journal, 4_096)],
    ["one byte short", (journal, bytes) => truncateSync(journal, bytes.length - 1)],
    ["one digest too long", (journal, bytes) => writeFileSync(journal, Buffer.concat([bytes, Buffer.alloc(8)]))],
    ["noise", (journal, bytes) => writeFileSync(journal, noise(bytes.length, 3))],
    ["zeros, as a file system leaves it after a crash", (journal, bytes) => writeFileSync(journal, bytes.fill(0))],
    ["JSON of something else", (journal, bytes) => patch(journal, 0, Buffer.from("{}".padEnd(bytes.length)))],
    ["null", (journal) => patch(journal, 0, Buffer.from("null".padEnd(4_096)))],
    ["of another format", (journal) => edit(journal, { format: "commserver journal 2" })],
    ["of another block size", (journal) => edit(journal, { blockBytes: 4_096 })],
    ["of another source", (journal) => edit(journal, { etag: "etag-2" })],
    ["of another time of the source", (journal) => edit(journal, { modifiedAt: 1 })],
    ["of another size", (journal) => edit(journal, { size: SIZE + BLOCK_BYTES })],
    ["of an impossible size", (journal) => edit(journal, { size: 1e300 })],
    ["of a size that is text", (journal) => edit(journal, { size: String(SIZE) })],
    ["of a negative size", (journal) => edit(journal, { size: -1 })],
  ];

  /** Change members of the facts. */
  function edit(journal: string, changes: Record<string, unknown>): void {
    const facts = JSON.parse(readFileSync(journal).subarray(0, 4_096).toString());
    patch(journal, 0, Buffer.from(JSON.stringify({ ...facts, ...changes }).padEnd(4_096)));
  }

  test.each(DAMAGES)("because it is %s: the file starts from the beginning and becomes whole", async (_, damage) => {
    const { folder, storage, journal } = await withPart();
    using _folder = folder;
    damage(journal, readFileSync(journal));
    const placement = await storage.place("a", factsOf(CONTENT), "fail");
    expect(placement.outcome).toBe("vacant");
    expect(await finish(folder, storage)).toEqual(EVERYTHING);
  });

  test("because its part is gone: the file starts from the beginning, and place() promises nothing", async () => {
    const { folder, storage, part } = await withPart();
    using _folder = folder;
    rmSync(part);
    expect(await storage.place("a", factsOf(CONTENT), "fail")).toEqual({ outcome: "vacant", path: "a" });
    expect(await finish(folder, storage)).toEqual(EVERYTHING);
  });

  test("because its part is shorter than it says: what is not there is asked for again", async () => {
    const { folder, storage, part } = await withPart();
    using _folder = folder;
    truncateSync(part, at(1));
    await finish(folder, storage);
  });

  test("because its part is longer than the file: the file has the right size", async () => {
    const { folder, storage, part } = await withPart();
    using _folder = folder;
    patch(part, SIZE, Buffer.from("more"));
    await finish(folder, storage);
  });

  test("of an earlier run of the system is believed where the digests are right", async () => {
    const { folder, storage, journal } = await withPart();
    using _folder = folder;
    edit(journal, { boot: "another" });
    expect(await finish(folder, storage)).toEqual(THE_REST);
  });

  test("of an earlier run of the system is not believed where a block was damaged", async () => {
    const { folder, storage, part, journal } = await withPart();
    using _folder = folder;
    edit(journal, { boot: "another" });
    patch(part, at(1) + 12_345, Buffer.from("damage"));
    expect(await finish(folder, storage)).toEqual([range(1, 3), range(4, 5)]);
  });

  test("of an earlier run of the system is not believed where the part ends early, or was never written", async () => {
    const { folder, storage, part, journal } = await withPart();
    using _folder = folder;
    edit(journal, { boot: "another" });
    truncateSync(part, at(1) + 5);
    expect(await finish(folder, storage)).toEqual([range(1, 5)]);
  });

  test("is believed again once it was verified: the second look costs nothing", async () => {
    const { folder, storage, journal } = await withPart();
    using _folder = folder;
    const boot = () => JSON.parse(readFileSync(journal).subarray(0, 4_096).toString()).boot;
    const before = boot();
    edit(journal, { boot: "another" });
    await (await storage.receive("a", factsOf(CONTENT), "fail")).keep();
    expect(boot()).toBe(before);
    expect(await finish(folder, storage)).toEqual(THE_REST);
  });
});
