import { expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { Folders } from "../../../lib/storage/local/folders.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { LockFolder } from "../../../lib/storage/local/locks/lock-folder.ts";
import { siblingNames, uniqueLockName } from "../../../lib/storage/local/names/part-names.ts";
import { removeUnfinished } from "../../../lib/storage/local/unfinished-parts.ts";
import { writeTree } from "../../support/repository.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { withUntypedNames } from "../../support/untyped-names.ts";

test("an unfinished file without a journal stays while somebody holds its lock, and goes with the lock then", () => {
  using site = new TempFolder();
  const part = "a.commserver-part";
  const { lock } = siblingNames(part);
  writeFileSync(site.join(part), "x");
  const ground = { flockedOn: "0", isOwnDisk: true };
  const held = LockFolder.take(site.join(lock), site.join(uniqueLockName(part)), ground);
  const folder = new Folders(site.path, { owner: "server" }).open("");
  try {
    expect(removeUnfinished(folder, part)).toBe(false);
    expect([part, lock].map((name) => existsSync(site.join(name)))).toEqual([true, true]);
    held?.release();
    expect(removeUnfinished(folder, part)).toBe(true);
    expect([part, lock].map((name) => existsSync(site.join(name)))).toEqual([false, false]);
  } finally {
    folder.release();
  }
});

test.if(process.platform === "linux")(
  "unfinished files are found also where the disk says of no name what it is",
  async () => {
    using site = new TempFolder();
    writeTree(site.path, { "a.commserver-part": "x", "tree/sub/b.commserver-part": "x", "tree/c": "x" });
    using _names = withUntypedNames();
    const storage = await LocalStorage.at(site.path);
    const found = await Array.fromAsync(storage.unfinished());
    expect(found.map(({ path }) => path).sort()).toEqual(["a.commserver-part", "tree/sub/b.commserver-part"]);
  },
);
