import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import fs, { mkdirSync, realpathSync, symlinkSync } from "node:fs";
import { FolderMaker } from "../../../lib/storage/local/folder-maker.ts";
import { Folders } from "../../../lib/storage/local/folders.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { codeOf, faultOf } from "../../support/fault.ts";
import { walk, writeTree } from "../../support/repository.ts";
import { store } from "../../support/storing.ts";
import { TempFolder } from "../../support/temp-folder.ts";

let folder: TempFolder;

beforeEach(() => {
  folder = new TempFolder();
  writeTree(folder.path, { "repository/docs/a": "a", "repository/sub/b": "b", "outside/secret": "secret" });
});

afterEach(() => folder[Symbol.dispose]());

const repository = () => realpathSync(folder.join("repository"));

describe("Folders", () => {
  test.each(["..", "../outside", "docs/..", "docs/../docs", ".", "docs/.", "./docs", "/docs", "docs/", "docs//a"])(
    "takes %p for no path, even if nobody has checked it before",
    async (path) => {
      const folders = new Folders(repository(), { owner: "server" });
      const maker = new FolderMaker(folders);
      for (const work of [
        () => folders.look(path),
        () => folders.behind(path),
        () => folders.changeable(path),
        () => folders.open(path),
        () => maker.make(path),
        () => folders.holder(path),
        () => maker.makeHolder(path),
      ]) {
        expect(await codeOf(work)).toBe("BAD_PATH");
      }
    },
  );

  test("makes nothing on the way to a file whose path is longer than the system takes", async () => {
    const storage = await LocalStorage.at(repository());
    const name = "n".repeat(255);
    const path = `docs/${Array.from({ length: 15 }, () => name).join("/")}/${"x".repeat(240)}`;
    expect(folder.join("repository", path).length).toBeGreaterThan(4_095);
    for (const work of [() => store(storage, path, Buffer.from("x")), () => storage.makeFolder(path)]) {
      expect(await faultOf(work)).toMatchObject({ code: "BAD_PATH", message: expect.stringContaining("longer than") });
    }
    expect((await walk(storage)).paths).toEqual(["docs", "docs/a", "sub", "sub/b"]);
  });

  test("makes what is missing below a link that stays inside, and nothing below one that leads out", async () => {
    symlinkSync("docs", folder.join("repository/in"));
    symlinkSync("../outside", folder.join("repository/out"));
    const storage = await LocalStorage.at(repository());
    expect(await storage.makeFolder("in/new/newer")).toBe(true);
    expect(await storage.stat("docs/new/newer")).toMatchObject({ kind: "folder" });
    expect(await codeOf(() => storage.makeFolder("out/new/newer"))).toBe("NOT_ALLOWED");
    expect(await codeOf(() => storage.makeFolder("docs/a/new"))).toBe("EXISTS");
    expect(fs.readdirSync(folder.join("outside"))).toEqual(["secret"]);
  });
});

describe("a list, when the system has no more descriptors", () => {
  test.each(["EMFILE", "ENFILE"])("fails with words, and leaves nothing out in silence: %s", async (code) => {
    mkdirSync(folder.join("repository/deep"));
    symlinkSync("docs/a", folder.join("repository/link"));
    const storage = await LocalStorage.at(repository());
    const { openSync } = fs;
    for (const { refused, enter } of [
      { refused: "sub", enter: () => true },
      // Where the link leads to.
      { refused: "docs", enter: () => false },
    ]) {
      const opening = spyOn(fs, "openSync").mockImplementation((path, ...others) => {
        if (String(path).endsWith(`/${refused}`)) throw Object.assign(new Error(`${code}: open`), { code });
        return openSync(path, ...others);
      });
      try {
        expect(await codeOf(() => walk(storage, "", enter))).toBe("OVERLOADED");
      } finally {
        opening.mockRestore();
      }
    }
    expect(await walk(storage)).toMatchObject({ skipped: 0 });
  });
});
