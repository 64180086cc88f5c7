import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { BLOCK_BYTES } from "../../../lib/block.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { codeOf, faultOf } from "../../support/fault.ts";
import { walk } from "../../support/repository.ts";
import { noSmallDisk, SmallDisk, smallDiskTest } from "../../support/small-disk.ts";
import { factsOf, store, writeBlock, writeMissing } from "../../support/storing.ts";
import { noise } from "../../support/transport-recorder.ts";

const MB = 1024 * 1024;
const LARGE = noise(5 * BLOCK_BYTES);
const check = test.skipIf(noSmallDisk !== undefined);
const filler = (disk: SmallDisk) => disk.join("filler.commserver-part");

describe("a disk that is full", () => {
  check(smallDiskTest("is DISK_FULL for a small file, which leaves nothing behind"), async () => {
    using disk = new SmallDisk(2 * MB);
    const storage = await LocalStorage.at(disk.path);
    writeFileSync(filler(disk), noise(1.5 * MB));
    const fault = await faultOf(() => store(storage, "docs/a", noise(BLOCK_BYTES)));
    expect(fault.code).toBe("DISK_FULL");
    expect(fault.message).toContain('"docs/a"');
    expect(await walk(storage)).toMatchObject({ paths: [], skipped: 0 });
    expect(readdirSync(disk.path)).toEqual(["filler.commserver-part"]);
    rmSync(filler(disk));
    await store(storage, "docs/a", noise(BLOCK_BYTES));
    expect(readFileSync(disk.join("docs/a")).equals(noise(BLOCK_BYTES))).toBe(true);
  });

  check(smallDiskTest("keeps what a small file was to replace"), async () => {
    using disk = new SmallDisk(1.5 * MB);
    const storage = await LocalStorage.at(disk.path);
    await store(storage, "a", noise(MB));
    expect(await codeOf(() => store(storage, "a", noise(BLOCK_BYTES, 2), { exists: "overwrite" }))).toBe("DISK_FULL");
    expect(readdirSync(disk.path)).toEqual(["a"]);
    expect(readFileSync(disk.join("a")).equals(noise(MB))).toBe(true);
  });

  check(smallDiskTest("is DISK_FULL for a large file before its first byte, which leaves nothing behind"), async () => {
    using disk = new SmallDisk(4 * MB);
    const storage = await LocalStorage.at(disk.path);
    for (const path of ["a", "new/deeper/a"]) {
      const fault = await faultOf(() => storage.receive(path, factsOf(LARGE), "fail"));
      expect(fault.code).toBe("DISK_FULL");
      expect(fault.message).toContain("needs 5.2 MB more");
      expect(readdirSync(disk.path)).toEqual([]);
    }
    expect(Bun.spawnSync(["mount", "-o", `remount,size=${8 * MB}`, disk.path]).exitCode).toBe(0);
    await store(storage, "a", LARGE);
    expect(readFileSync(disk.join("a")).equals(LARGE)).toBe(true);
  });

  check(
    smallDiskTest("in the middle of a large file keeps what is there, which goes on when there is room"),
    async () => {
      using disk = new SmallDisk(6 * MB);
      const storage = await LocalStorage.at(disk.path);
      const part = await storage.receive("a", factsOf(LARGE), "fail");
      await writeBlock(part, LARGE, 0);
      await writeBlock(part, LARGE, 3 * BLOCK_BYTES);
      writeFileSync(filler(disk), noise(3 * MB + 500_000));
      expect(await codeOf(() => writeBlock(part, LARGE, BLOCK_BYTES))).toBe("DISK_FULL");
      expect(part.present).toBe(2 * BLOCK_BYTES);
      await part.keep();
      // The rest would not fit either: that is said before anything is sent.
      expect(await codeOf(() => storage.receive("a", factsOf(LARGE), "fail"))).toBe("DISK_FULL");
      rmSync(filler(disk));
      const again = await storage.receive("a", factsOf(LARGE), "fail");
      expect(await writeMissing(again, LARGE)).toBe(3 * BLOCK_BYTES);
      await again.commit();
      expect(readFileSync(disk.join("a")).equals(LARGE)).toBe(true);
      expect(readdirSync(disk.path)).toEqual(["a"]);
    },
  );

  check(smallDiskTest("has room for the rest of a file that is half there, though not for all of it"), async () => {
    using disk = new SmallDisk(6 * MB);
    const storage = await LocalStorage.at(disk.path);
    const part = await storage.receive("a", factsOf(LARGE), "fail");
    for (const block of [0, 1, 2]) await writeBlock(part, LARGE, block * BLOCK_BYTES);
    await part.keep();
    const again = await storage.receive("a", factsOf(LARGE), "fail");
    expect(again.present).toBe(3 * BLOCK_BYTES);
    await writeMissing(again, LARGE);
    await again.commit();
    expect(readFileSync(disk.join("a")).equals(LARGE)).toBe(true);
  });
});
