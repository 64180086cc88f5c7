import { afterEach, describe, expect, mock, spyOn, test } from "bun:test";
import fs, { renameSync, utimesSync, writeFileSync } from "node:fs";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { OpenFolder } from "../../../lib/storage/local/open-folder.ts";
import { TempFolder } from "../../support/temp-folder.ts";

afterEach(() => {
  mock.restore();
});

describe("a small file that changes while it is read in one go", () => {
  const CHANGES: [string, (file: string) => void][] = [
    ["overwritten in its place", (file) => writeFileSync(file, "other")],
    ["touched", (file) => utimesSync(file, 2_000, 2_000)],
    ["cut off", (file) => writeFileSync(file, "fi")],
    ["that grows", (file) => writeFileSync(file, " more", { flag: "a" })],
  ];

  test.each(CHANGES)("is not taken for one state of it: %s", async (_, change) => {
    using folder = new TempFolder();
    const file = folder.join("a");
    writeFileSync(file, "first");
    // Else a quick change leaves it the time that it has.
    utimesSync(file, 1_000, 1_000);
    const storage = await LocalStorage.at(folder.path);
    const read = fs.readSync;
    spyOn(fs, "readSync").mockImplementation(((...args: Parameters<typeof fs.readSync>) => {
      const bytes = read(...args);
      change(file);
      return bytes;
    }) as typeof fs.readSync);
    expect(storage.load("a", 100)).toBeUndefined();
  });

  test("nor is another that has taken its name before it was opened", async () => {
    using folder = new TempFolder();
    const file = folder.join("a");
    writeFileSync(file, "first");
    // Else a quick change leaves it the time that it has.
    utimesSync(file, 1_000, 1_000);
    writeFileSync(folder.join("b"), "other");
    const storage = await LocalStorage.at(folder.path);
    const { openFile } = OpenFolder.prototype;
    let isSwapped = false;
    spyOn(OpenFolder.prototype, "openFile").mockImplementation(function (this: OpenFolder, name) {
      renameSync(folder.join("b"), file);
      isSwapped = true;
      return openFile.call(this, name);
    });
    expect(storage.load("a", 100)).toBeUndefined();
    expect(isSwapped).toBe(true);
  });
});
