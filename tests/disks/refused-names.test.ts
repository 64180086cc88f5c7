import { describe, expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { DISKS } from "../support/disks.ts";
import { codeOf } from "../support/fault.ts";
import { move } from "../support/folder-transfer.ts";
import { isSkipped, namedWhy } from "../support/launched.ts";
import { BLOCK } from "../support/raw-chunks.ts";
import { store } from "../support/storing.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { noise } from "../support/transport-recorder.ts";

/** Of characters that FAT and exFAT have in no name. */
const REFUSED = ["what?", 'in "quotes"', "a:b", "tab\there"];
const SIZES = [10, 2 * BLOCK];

for (const kind of DISKS.filter(({ refused }) => refused !== undefined)) {
  describe.skipIf(isSkipped(kind.missing))(namedWhy(`on ${kind.name}`, kind.missing), () => {
    test.each(REFUSED)("%p is BAD_PATH, for a file, a folder and a new name, and leaves nothing", async (name) => {
      await using disk = await kind.open();
      const storage = await LocalStorage.at(disk.path);
      await store(storage, "plain", noise(10));
      for (const size of SIZES) {
        expect(await codeOf(() => store(storage, name, noise(size)))).toBe("BAD_PATH");
        expect(await codeOf(() => store(storage, `${name}/below`, noise(size)))).toBe("BAD_PATH");
        expect(await codeOf(() => store(storage, `new/${name}`, noise(size), { exists: "overwrite" }))).toBe(
          "BAD_PATH",
        );
      }
      expect(await codeOf(() => storage.makeFolder(name))).toBe("BAD_PATH");
      expect(await codeOf(() => storage.rename("plain", name, { overwrite: false }))).toBe("BAD_PATH");
      for (const ask of [
        () => storage.stat(name),
        () => storage.open(name),
        () => storage.remove(name, { recursive: true }),
      ]) {
        expect(await codeOf(ask)).toBe("NOT_FOUND");
      }
      expect(readdirSync(disk.path)).toEqual(["plain"]);
    });

    test.each(["get", "put"] as const)("a %s names what can't be held, and brings all else", async (method) => {
      await using disk = await kind.open();
      using source = new TempFolder();
      for (const name of ["before", "what?", "where"]) writeFileSync(source.join(name), noise(10));
      writeFileSync(source.join("large?"), noise(2 * BLOCK));
      const told = await move(method, source.path, disk.path);
      expect(told.failed.map(({ path, code }) => [path, code]).sort()).toEqual([
        ["large?", "BAD_PATH"],
        ["what?", "BAD_PATH"],
      ]);
      expect(readdirSync(disk.path).sort()).toEqual(["before", "where"]);
    });
  });
}
