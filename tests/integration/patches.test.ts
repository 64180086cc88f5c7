/** What replaces an older file of a disk: holes, a full disk, a source that grows, mirrors. */
import { describe, expect, test } from "bun:test";
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { blockTag } from "../../lib/storage/local/block-tag.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { Folders, move } from "../support/folder-transfer.ts";
import { BLOCK } from "../support/raw-chunks.ts";
import { noSmallDisk, SmallDisk, smallDiskTest } from "../support/small-disk.ts";
import { keptBytes, makeSparse, noHoles } from "../support/sparse.ts";
import { noise } from "../support/transport-recorder.ts";

const OLD = noise(5 * BLOCK + 7, 3);

/** Counts the bytes that were reused. */
function counting() {
  const counted = { reused: 0, moved: 0 };
  const onProgress = (_: unknown, bytes: number, reused: number) => {
    counted.moved += bytes;
    counted.reused += reused;
  };
  return { counted, options: { blockTag, exists: "overwrite", onProgress } as const };
}

function write(file: string, offset: number, text: string): void {
  const fd = openSync(file, "r+");
  writeSync(fd, text, offset);
  closeSync(fd);
  // Otherwise it may have the time of the older file.
  utimesSync(file, 1_600_000_000, 1_600_000_000);
}

describe.each(["get", "put"] as const)("a file of a disk by %s onto an older one", (method) => {
  test("is made of both, with its own time, and nothing else stays", async () => {
    using folders = new Folders(OLD);
    copyFileSync(folders.file, `${folders.to}/f`);
    write(folders.file, 2 * BLOCK, "changed");
    const { counted, options } = counting();
    const told = await move(method, folders.from, folders.to, options);
    expect(told).toMatchObject({ failed: [], restarts: [], paths: ["f"] });
    // The last block has 7 bytes: a patch of it would be longer.
    expect(counted).toEqual({ moved: OLD.length, reused: 5 * BLOCK - 16_384 });
    expect(readFileSync(`${folders.to}/f`).equals(readFileSync(folders.file))).toBe(true);
    expect(readdirSync(folders.to)).toEqual(["f"]);
  });

  test("that grows while it moves arrives as it was at first", async () => {
    using folders = new Folders(OLD);
    copyFileSync(folders.file, `${folders.to}/f`);
    appendFileSync(folders.file, noise(3 * BLOCK, 5));
    const before = readFileSync(folders.file);
    const { counted, options } = counting();
    let appended = 0;
    const onProgress = (item: unknown, bytes: number, reused: number) => {
      options.onProgress(item, bytes, reused);
      if (appended++ < 3) appendFileSync(folders.file, "more");
    };
    const told = await move(method, folders.from, folders.to, { ...options, onProgress });
    expect(told).toMatchObject({ failed: [], paths: ["f"] });
    const arrived = readFileSync(`${folders.to}/f`);
    expect(arrived.length).toBeGreaterThanOrEqual(before.length);
    expect(readFileSync(folders.file).subarray(0, arrived.length).equals(arrived)).toBe(true);
    expect(counted.reused).toBeGreaterThan(4 * BLOCK);
  });

  test("that is cut short while it moves arrives as it was before, or as it is then", async () => {
    using folders = new Folders(OLD);
    writeFileSync(`${folders.to}/f`, OLD);
    write(folders.file, 0, "changed");
    const states = [readFileSync(folders.file), OLD.subarray(0, 3 * BLOCK)];
    let isCut = false;
    const onProgress = () => {
      if (!isCut) writeFileSync(folders.file, OLD.subarray(0, 3 * BLOCK));
      isCut = true;
    };
    const told = await move(method, folders.from, folders.to, { blockTag, exists: "overwrite", onProgress });
    expect(told).toMatchObject({ failed: [], paths: ["f"] });
    const arrived = readFileSync(`${folders.to}/f`);
    expect(states.map((state) => arrived.equals(state))).toContain(true);
  });

  test.skipIf(noHoles !== undefined)("with holes keeps them, whatever was there before", async () => {
    using folders = new Folders();
    makeSparse(folders.file, 40 * BLOCK + 5, { [BLOCK]: noise(BLOCK, 2), [30 * BLOCK]: noise(2 * BLOCK, 3) });
    const old = readFileSync(folders.file);
    old.write("old", 20 * BLOCK);
    old.write("old", 30 * BLOCK);
    writeFileSync(`${folders.to}/f`, old);
    const { counted, options } = counting();
    expect(await move(method, folders.from, folders.to, options)).toMatchObject({ failed: [], paths: ["f"] });
    expect(readFileSync(`${folders.to}/f`).equals(readFileSync(folders.file))).toBe(true);
    expect(keptBytes(`${folders.to}/f`)).toBeLessThan(6 * BLOCK);
    expect(counted.reused).toBe(3 * BLOCK - 16_384);
  });

  test.skipIf(noSmallDisk !== undefined)(
    smallDiskTest("leaves the old one when the disk is full, and is resumed when there is room"),
    async () => {
      using folders = new Folders(OLD);
      using disk = new SmallDisk(12 * BLOCK);
      writeFileSync(disk.join("f"), OLD);
      writeFileSync(disk.join("filler"), noise(5 * BLOCK, 9));
      write(folders.file, 5 * BLOCK, "changed");
      const { options } = counting();
      await move(method, folders.from, disk.path, options).catch(() => {});
      expect(readFileSync(disk.join("f")).equals(OLD)).toBe(true);
      writeFileSync(disk.join("filler"), "");
      expect(await move(method, folders.from, disk.path, options)).toMatchObject({ failed: [], paths: ["f"] });
      expect(readFileSync(disk.join("f")).equals(readFileSync(folders.file))).toBe(true);
    },
  );
});

test("a link at the target is replaced itself, and what it leads to stays", async () => {
  using folders = new Folders(OLD);
  write(folders.file, 0, "changed");
  writeFileSync(`${folders.to}/real`, OLD);
  symlinkSync("real", `${folders.to}/f`);
  const { counted, options } = counting();
  expect(await move("put", folders.from, folders.to, options)).toMatchObject({ failed: [], paths: ["f"] });
  expect(readFileSync(`${folders.to}/real`).equals(OLD)).toBe(true);
  expect(readFileSync(`${folders.to}/f`).equals(readFileSync(folders.file))).toBe(true);
  expect(counted.reused).toBe(5 * BLOCK - 16_384);
  expect(await (await LocalStorage.at(folders.to)).stat("f")).toMatchObject({ kind: "file" });
});
