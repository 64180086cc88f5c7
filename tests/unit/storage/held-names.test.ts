/** Disks that can't hold a name, simulated where no such disk can be mounted. */
import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import fs, { readdirSync } from "node:fs";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { uniqueTrialName } from "../../../lib/storage/local/names/part-names.ts";
import { OpenFolder } from "../../../lib/storage/local/open-folder.ts";
import type { FileFacts } from "../../../lib/storage/storage.ts";
import { codeOf } from "../../support/fault.ts";
import { BLOCK } from "../../support/raw-chunks.ts";
import { writeTree } from "../../support/repository.ts";
import { TempFolder } from "../../support/temp-folder.ts";

const facts = (size = 1): FileFacts => ({ size, modifiedAt: 1, executable: false, etag: "e" });
const BYTE = new Uint8Array(1);

let folder: TempFolder;
let storage: LocalStorage;
const undo: (() => void)[] = [];

beforeEach(async () => {
  folder = new TempFolder();
  storage = await LocalStorage.at(folder.path);
});
afterEach(() => {
  for (const restore of undo.splice(0)) restore();
  folder[Symbol.dispose]();
});

/** All names reach the system through `change`, which may throw. */
function meddle(change: (name: string) => string): void {
  const at = OpenFolder.prototype.at;
  const create = OpenFolder.prototype.create;
  const renameNew = OpenFolder.prototype.renameNew;
  const spies = [
    spyOn(OpenFolder.prototype, "at").mockImplementation(function (this: OpenFolder, name) {
      return at.call(this, change(name));
    }),
    spyOn(OpenFolder.prototype, "create").mockImplementation(function (this: OpenFolder, name, mode) {
      return create.call(this, change(name), mode);
    }),
    spyOn(OpenFolder.prototype, "renameNew").mockImplementation(function (this: OpenFolder, from, to) {
      return renameNew.call(this, change(from), change(to));
    }),
  ];
  undo.push(() => {
    for (const spy of spies) spy.mockRestore();
  });
}

/** FAT cuts dots at the end of a name; Windows' own calls blanks, too. */
const cutting = () => meddle((name) => (name === "." ? name : name.replace(/[. ]+$/, "")));

describe("a disk that cuts what a name ends with", () => {
  test.each(["x.", "x ", "x..", "a./b", "a /b", "d/x."])(
    "takes no %p, in any way, and nothing comes in its place",
    async (path) => {
      writeTree(folder.path, { x: "other", "a/b": "other", d: "" });
      fs.rmSync(folder.join("d"));
      cutting();
      const told = { code: "BAD_PATH", message: `The disk can't hold the name ${JSON.stringify(path)}.` };
      for (const exists of ["fail", "overwrite", "rename"] as const) {
        const stored = (async () => storage.store(path, facts(), exists, BYTE))();
        await expect(stored).rejects.toMatchObject(told);
        await expect(storage.receive(path, facts(2 * BLOCK), exists)).rejects.toMatchObject(told);
      }
      await expect(storage.makeFolder(path)).rejects.toMatchObject(told);
      await expect(storage.rename("x", path, { overwrite: true })).rejects.toMatchObject(told);
      expect(readdirSync(folder.path, { recursive: true }).sort()).toEqual(["a", "a/b", "x"]);
      expect(fs.readFileSync(folder.join("x"), "utf8")).toBe("other");
    },
  );

  test("is asked once for each end", async () => {
    cutting();
    const made = spyOn(fs, "mkdirSync");
    undo.push(() => made.mockRestore());
    for (let at = 0; at < 20; at++)
      expect(await codeOf(() => storage.store(`${at}.`, facts(), "fail", BYTE))).toBe("BAD_PATH");
    expect(made.mock.calls.length).toBeLessThan(3);
  });

  test("takes names with dots and blanks elsewhere", async () => {
    cutting();
    expect(await storage.store("a b.c/. d", facts(), "fail", BYTE)).toBe("a b.c/. d");
  });
});

describe("a disk that refuses a name", () => {
  test.each(["EINVAL", "ENOENT", "EPERM", "EACCES", "EILSEQ", "ENAMETOOLONG", "EIO", "EOPNOTSUPP"])(
    "with %s is told in one way",
    async (code) => {
      meddle((name) => {
        if (name.includes("?")) throw Object.assign(new Error(code), { code });
        return name;
      });
      const told = { code: "BAD_PATH", message: 'The disk can\'t hold the name "what?".' };
      const stored = (async () => storage.store("what?", facts(), "fail", BYTE))();
      await expect(stored).rejects.toMatchObject(told);
      await expect(storage.receive("what?", facts(2 * BLOCK), "fail")).rejects.toMatchObject(told);
      await expect(storage.makeFolder("what?")).rejects.toMatchObject(told);
      expect(await storage.store("that", facts(), "fail", BYTE)).toBe("that");
      expect(readdirSync(folder.path)).toEqual(["that"]);
    },
  );

  test("is not meant where nothing at all can be made", async () => {
    meddle((name) => {
      if (name !== ".") throw Object.assign(new Error("EACCES"), { code: "EACCES" });
      return name;
    });
    const why = spyOn(fs, "mkdirSync").mockImplementation(() => {
      throw Object.assign(new Error("EACCES"), { code: "EACCES" });
    });
    undo.push(() => why.mockRestore());
    expect(await codeOf(() => storage.store("a:b", facts(), "fail", BYTE))).toBe("DISK_DENIED");
    expect(await codeOf(() => storage.makeFolder("a:b"))).toBe("DISK_DENIED");
  });

  test("is not meant by a failure that says something else", async () => {
    meddle((name) => {
      if (name.includes("?")) throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
      return name;
    });
    expect(await codeOf(() => storage.store("what?", facts(), "fail", BYTE))).toBe("DISK_FULL");
  });
});

test("what a trial leaves that died within it is found as unfinished, and goes with the name that it tried", async () => {
  const left = uniqueTrialName();
  writeTree(folder.path, { [`${left}/tried.`]: "" });
  expect((await Array.fromAsync(storage.unfinished())).map(({ path }) => path)).toEqual([left]);
  expect(await storage.removeUnfinished(left)).toBe(true);
  expect(readdirSync(folder.path)).toEqual([]);
});
