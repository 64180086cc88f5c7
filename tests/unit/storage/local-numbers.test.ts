import { describe, expect, test } from "bun:test";
import { utimesSync, writeFileSync } from "node:fs";
import * as v from "valibot";
import { Entry } from "../../../lib/protocol/methods.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { walk } from "../../support/repository.ts";
import { noSmallDisk, SmallDisk, smallDiskTest } from "../../support/small-disk.ts";
import { factsOf, store } from "../../support/storing.ts";
import { TempFolder } from "../../support/temp-folder.ts";

/** As a Date: a negative number would be taken for now. */
const OLD = new Date(-5_500);

describe("what a disk has and the protocol has no number for", () => {
  test("a time before 1970 is reported as 1970, so that no peer has to refuse the whole list", async () => {
    using folder = new TempFolder();
    writeFileSync(folder.join("old"), "x");
    utimesSync(folder.join("old"), OLD, OLD);
    const storage = await LocalStorage.at(folder.path);
    expect((await storage.stat("old")).modifiedAt).toBe(0);
    expect((await walk(storage)).entries.every((entry) => v.is(Entry, entry))).toBe(true);
  });

  test("a file from before 1970 is unchanged when it comes again as it was reported", async () => {
    using folder = new TempFolder();
    writeFileSync(folder.join("old"), "x");
    utimesSync(folder.join("old"), OLD, OLD);
    const storage = await LocalStorage.at(folder.path);
    const told = await storage.stat("old");
    expect(await storage.place("old", told, "fail")).toMatchObject({ outcome: "unchanged" });
  });

  test("a time between two milliseconds is compared as it is reported", async () => {
    using folder = new TempFolder();
    const storage = await LocalStorage.at(folder.path);
    writeFileSync(folder.join("fine"), "x");
    // As a number of milliseconds it is nearer to the next.
    Bun.spawnSync(["touch", "-d", "@1700000000.123999999", folder.join("fine")]);
    const told = await storage.stat("fine");
    expect(told.modifiedAt).toBe(1_700_000_000_123);
    expect(await storage.place("fine", told, "fail")).toMatchObject({ outcome: "unchanged" });
  });

  test.skipIf(noSmallDisk !== undefined)(
    smallDiskTest("more bytes, or a later time, than 2^53 - 1 are told as that"),
    async () => {
      using disk = new SmallDisk(65_536);
      const storage = await LocalStorage.at(disk.path);
      writeFileSync(disk.join("huge"), "");
      Bun.spawnSync(["truncate", "-s", "1E", disk.join("huge")]);
      writeFileSync(disk.join("late"), "");
      Bun.spawnSync(["touch", "-d", "@9999999999999999", disk.join("late")]);
      expect((await storage.stat("huge")).size).toBe(Number.MAX_SAFE_INTEGER);
      const late = await storage.stat("late");
      expect(late.modifiedAt).toBe(Number.MAX_SAFE_INTEGER);
      expect(await storage.place("late", late, "fail")).toMatchObject({ outcome: "unchanged" });
      expect((await walk(storage)).entries.every((entry) => v.is(Entry, entry))).toBe(true);
    },
  );

  test("a time that the disk can't hold is stored as the nearest, and the file is the same the next time", async () => {
    using folder = new TempFolder();
    expect(await storedTwice(folder.path, Number.MAX_SAFE_INTEGER)).toBe("unchanged");
  });

  test.skipIf(noSmallDisk !== undefined)(
    smallDiskTest("the same where the disk could hold it, but Bun could not say it: after the year 275760"),
    async () => {
      using disk = new SmallDisk(65_536);
      expect(await storedTwice(disk.path, Number.MAX_SAFE_INTEGER)).toBe("unchanged");
      expect(await storedTwice(disk.path, 8_640_000_000_000_000)).toBe("unchanged");
    },
  );
});

/** What a file of this time is when it comes a second time. */
async function storedTwice(folder: string, modifiedAt: number): Promise<string> {
  const storage = await LocalStorage.at(folder);
  const content = new Uint8Array(3);
  const facts = factsOf(content, { modifiedAt });
  const name = `of ${modifiedAt}`;
  await store(storage, name, content, facts);
  expect((await storage.stat(name)).modifiedAt).toBeGreaterThan(1_700_000_000_000);
  return (await storage.place(name, facts, "skip")).outcome;
}
