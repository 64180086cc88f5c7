import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { BLOCK_BYTES } from "../../../lib/block.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { isSkipped, namedWhy } from "../../support/launched.ts";
import { ModelessDisk, missingModeless } from "../../support/modeless-disk.ts";
import { factsOf, writeBlock, writeMissing } from "../../support/storing.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { noise } from "../../support/transport-recorder.ts";

const CONTENT = noise(2 * BLOCK_BYTES + 7);
const isRoot = process.getuid?.() === 0;
const ownerTest = (name: string) => (isRoot ? name : `${name} (skipped: only root may give files to others)`);

/** The modes of what is there of unfinished files; their locks hold nothing. */
function unfinishedModes(folder: TempFolder): Record<string, string> {
  const names = readdirSync(folder.path).filter((name) => /\.commserver-(part|journal)$/.test(name));
  return Object.fromEntries(
    names.map((name) => [name.replace(/^.*\./, ""), (statSync(folder.join(name)).mode & 0o7777).toString(8)]),
  );
}

const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8);

test.skipIf(isSkipped(missingModeless))(
  namedWhy("on a disk that keeps no rights a file comes, is gone on with, and is replaced", missingModeless),
  async () => {
    using disk = new ModelessDisk();
    const storage = await LocalStorage.ofUser(disk.path);
    for (const mode of [0o600, 0o755, undefined]) {
      const first = await storage.receive("a", factsOf(CONTENT, { mode, executable: true }), "overwrite");
      await writeBlock(first, CONTENT, 0);
      await first.keep();
      const second = await storage.receive("a", factsOf(CONTENT, { mode, executable: true }), "overwrite");
      expect(second.present).toBe(BLOCK_BYTES);
      await writeMissing(second, CONTENT);
      await second.commit();
      await storage.store("b", factsOf(new Uint8Array(3), { mode, executable: true }), "overwrite", new Uint8Array(3));
      await storage.makeFolder(`folder-${mode}`, 0o500);
      await storage.finishFolder(`folder-${mode}`, 0o500);
    }
    expect(readFileSync(disk.join("a")).equals(CONTENT)).toBe(true);
    expect(readdirSync(disk.path).filter((name) => name.includes("commserver"))).toEqual([]);
  },
);

describe.if(process.platform !== "win32")("what comes of a file, until it is whole,", () => {
  const both = (mode: string) => ({ "commserver-part": mode, "commserver-journal": mode });

  test.each([
    ["a private source", 0o600, undefined, "600", "600"],
    ["a source that everybody may read", 0o644, undefined, "644", "644"],
    ["a source that its owner may not write", 0o444, undefined, "644", "444"],
    ["a source that nobody may read", 0o000, undefined, "600", "0"],
    ["a private file to be replaced", 0o644, 0o600, "600", "600"],
    ["any file to be replaced", 0o644, 0o644, "600", "644"],
  ])("is no more open than it will be: %s", async (_, mode, replaced, meanwhile, finally_) => {
    using folder = new TempFolder();
    if (replaced !== undefined) {
      writeFileSync(folder.join("a"), "old");
      chmodSync(folder.join("a"), replaced);
    }
    const storage = await LocalStorage.ofUser(folder.path);
    const part = await storage.receive("a", factsOf(CONTENT, { mode }), "overwrite");
    expect(unfinishedModes(folder)).toEqual(both(meanwhile));
    for (let offset = 0; offset < CONTENT.length; offset += BLOCK_BYTES) {
      await writeBlock(part, CONTENT, offset);
      expect(unfinishedModes(folder)).toEqual(both(meanwhile));
    }
    await part.commit();
    expect(modeOf(folder.join("a"))).toBe(finally_);
    expect(readFileSync(folder.join("a")).equals(CONTENT)).toBe(true);
  });

  test("is closed when it is gone on with, if its source or what it replaces has been closed meanwhile", async () => {
    using folder = new TempFolder();
    const storage = await LocalStorage.ofUser(folder.path);
    const first = await storage.receive("a", factsOf(CONTENT, { mode: 0o644 }), "overwrite");
    await writeBlock(first, CONTENT, 0);
    await first.keep();
    expect(unfinishedModes(folder)).toEqual(both("644"));
    const second = await storage.receive("a", factsOf(CONTENT, { mode: 0o600 }), "overwrite");
    expect(unfinishedModes(folder)).toEqual(both("600"));
    // The mode is no part of what tells one state of a source from another.
    expect(second.present).toBe(BLOCK_BYTES);
    await second.keep();
    for (const name of readdirSync(folder.path)) chmodSync(folder.join(name), 0o666);
    writeFileSync(folder.join("a"), "old", { mode: 0o600 });
    const third = await storage.receive("a", factsOf(CONTENT, { mode: 0o644 }), "overwrite");
    expect(unfinishedModes(folder)).toEqual(both("600"));
    expect(third.present).toBe(BLOCK_BYTES);
    await writeMissing(third, CONTENT);
    await third.commit();
    expect(modeOf(folder.join("a"))).toBe("600");
  });

  test("takes the rights that what it replaces has in the end", async () => {
    using folder = new TempFolder();
    const storage = await LocalStorage.ofUser(folder.path);
    const part = await storage.receive("a", factsOf(CONTENT, { mode: 0o666 }), "overwrite");
    await writeMissing(part, CONTENT);
    writeFileSync(folder.join("a"), "theirs");
    chmodSync(folder.join("a"), 0o640);
    await part.commit();
    expect(modeOf(folder.join("a"))).toBe("640");
  });

  test.skipIf(!isRoot)(ownerTest("that is another user's, who can read it, is not gone on with"), async () => {
    using folder = new TempFolder();
    const storage = await LocalStorage.ofUser(folder.path);
    const first = await storage.receive("a", factsOf(CONTENT, { mode: 0o600 }), "fail");
    await writeBlock(first, CONTENT, 0);
    await first.keep();
    chownSync(folder.join("a.commserver-part"), 4_001, 4_001);
    const part = await storage.receive("a", factsOf(CONTENT, { mode: 0o600 }), "fail");
    expect(part.present).toBe(0);
    expect(statSync(folder.join("a.commserver-part")).uid).toBe(0);
    await writeMissing(part, CONTENT);
    await part.commit();
    expect(readFileSync(folder.join("a")).equals(CONTENT)).toBe(true);
    expect(readdirSync(folder.path)).toEqual(["a"]);
  });

  test("that is another name of some file does nothing to that file", async () => {
    using folder = new TempFolder();
    writeFileSync(folder.join("precious"), "mine");
    chmodSync(folder.join("precious"), 0o644);
    linkSync(folder.join("precious"), folder.join("a.commserver-part"));
    const storage = await LocalStorage.ofUser(folder.path);
    const part = await storage.receive("a", factsOf(CONTENT, { mode: 0o600 }), "fail");
    await writeMissing(part, CONTENT);
    await part.commit();
    expect(readFileSync(folder.join("precious"), "utf8")).toBe("mine");
    expect(modeOf(folder.join("precious"))).toBe("644");
    expect(existsSync(folder.join("a.commserver-part"))).toBe(false);
  });
});
