import { expect, spyOn, test } from "bun:test";
import fs from "node:fs";
import { Folders } from "../../../lib/storage/local/folders.ts";
import { writeTree } from "../../support/repository.ts";
import { TempFolder } from "../../support/temp-folder.ts";

test("folders that were found to hold no private place are not looked at again", () => {
  using folder = new TempFolder();
  writeTree(folder.path, { "a/b/c/d/file": "" });
  const folders = new Folders(folder.path, { owner: "server" });
  using looked = spyOn(fs, "statSync");
  const looks = (path: string) => {
    looked.mockClear();
    folders.open(path).release();
    return looked.mock.calls.length;
  };
  const [first, again, sibling] = [looks("a/b/c/d"), looks("a/b/c/d"), looks("a/b/c")];
  expect(again).toBeLessThan(first);
  expect(sibling).toBeLessThanOrEqual(again);
});
