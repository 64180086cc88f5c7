import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { OpenFolder } from "../../../lib/storage/local/open-folder.ts";
import { type RemoveTreeOptions, removeTree } from "../../../lib/storage/local/remove-tree.ts";
import { codeOf } from "../../support/fault.ts";
import { openBelow } from "../../support/open-files.ts";
import { writeTree } from "../../support/repository.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { withUntypedNames } from "../../support/untyped-names.ts";

let folder: TempFolder;
let holder: OpenFolder;

beforeEach(() => {
  folder = new TempFolder();
  holder = OpenFolder.open(folder.path);
});

afterEach(() => {
  holder.release();
  folder[Symbol.dispose]();
});

const remove = (options?: RemoveTreeOptions) => removeTree(holder, "tree", options);

/** Hard links to one file: they are made ten times as fast as files. */
function fill(path: string, count: number): void {
  mkdirSync(path, { recursive: true });
  writeFileSync(`${path}/0`, "");
  for (let index = 1; index < count; index++) linkSync(`${path}/0`, `${path}/${index}`);
}

describe("removeTree()", () => {
  test("removes files, folders, links and hidden names, and nothing that links lead to", async () => {
    writeTree(folder.path, { "tree/a": "x", "tree/.b": "x", "tree/sub/deep/c": "x", "other/kept": "x" });
    symlinkSync("../other", folder.join("tree/folder link"));
    symlinkSync("../other/kept", folder.join("tree/sub/file link"));
    symlinkSync("nowhere", folder.join("tree/dangling"));
    mkdirSync(folder.join("tree/empty"));
    await remove();
    expect(readdirSync(folder.path)).toEqual(["other"]);
    expect(readdirSync(folder.join("other"))).toEqual(["kept"]);
  });

  test.if(process.platform === "linux")("removes names that are not UTF-8, of files and of folders", async () => {
    mkdirSync(folder.join("tree"));
    const odd = (name: string) => Buffer.concat([Buffer.from(`${folder.join("tree")}/${name}`), Buffer.from([0xff])]);
    writeFileSync(odd("file"), "");
    mkdirSync(odd("folder"));
    writeFileSync(Buffer.concat([odd("folder"), Buffer.from("/inner")]), "");
    await remove();
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test.if(process.platform === "linux")(
    "finds folders also on a disk that does not say what its names are",
    async () => {
      writeTree(folder.path, { "tree/a": "x", "tree/sub/deep/c": "x" });
      symlinkSync("sub", folder.join("tree/link"));
      using _calls = withUntypedNames();
      await remove();
      expect(readdirSync(folder.path)).toEqual([]);
    },
  );

  test.each([
    ["two", 2],
    ["five", 5],
  ])("meets %s others that remove the same: all of them end, and nothing is left", async (_, count) => {
    for (let round = 0; round < 20; round++) {
      writeTree(folder.path, { "tree/a": "x", "tree/sub/b": "x", "tree/sub/deep/c": "x", "tree/more/d": "x" });
      await Promise.all(Array.from({ length: count }, () => remove()));
      expect(readdirSync(folder.path)).toEqual([]);
    }
  });

  test("fails when the folder was moved elsewhere meanwhile: it is not removed", async () => {
    writeTree(folder.path, { "tree/a": "x" });
    const check = (_: OpenFolder, name: string | undefined) => {
      if (name === "a") renameSync(folder.join("tree"), folder.join("moved"));
    };
    expect(await remove({ check }).catch(({ code }) => code)).toBe("ENOENT");
    expect(readdirSync(folder.path)).toEqual(["moved"]);
  });

  test("ends well when another was quicker: the folder is gone", async () => {
    writeTree(folder.path, { "tree/a": "x" });
    const check = (_: OpenFolder, name: string | undefined) => {
      if (name === "a") rmSync(folder.join("tree"), { recursive: true });
    };
    await remove({ check });
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test("calls check with each thing before it is removed, and removes nothing that it refuses", async () => {
    writeTree(folder.path, { "tree/kept/secret": "x" });
    const asked: (string | undefined)[] = [];
    const refusal = new Error("not that one");
    const check = (_: OpenFolder, name: string | undefined) => {
      asked.push(name);
      if (name === "secret") throw refusal;
    };
    expect(await remove({ check }).catch((thrown) => thrown)).toBe(refusal);
    expect(asked).toEqual(["tree", "kept", "secret"]);
    expect(existsSync(folder.join("tree/kept/secret"))).toBe(true);
  });

  test("gives check the open folder that holds the thing", async () => {
    writeTree(folder.path, { "tree/sub/file": "content" });
    const seen: string[] = [];
    await remove({ check: (at, name) => void (name === "file" && seen.push(...readdirSync(at.at(".")))) });
    expect(seen).toEqual(["file"]);
  });

  test("lets timers fire between its pieces of work, however much there is", async () => {
    fill(folder.join("tree/many"), 20_000);
    let fired = 0;
    const timer = setInterval(() => fired++, 1);
    await remove();
    clearInterval(timer);
    expect(fired).toBeGreaterThan(5);
    expect(existsSync(folder.join("tree"))).toBe(false);
  });

  test("ends soon after its signal, with nothing left open, and goes on where it stopped", async () => {
    fill(folder.join("tree/many"), 20_000);
    const aborter = new AbortController();
    const removal = remove({ signal: aborter.signal }).catch((thrown) => thrown);
    await new Promise((resolve) => setImmediate(resolve));
    aborter.abort();
    expect(await removal).toBe(aborter.signal.reason);
    expect(readdirSync(folder.join("tree/many")).length).toBeGreaterThan(10_000);
    if (process.platform === "linux") expect(openBelow(folder.join("tree"))).toBe(0);
    await remove();
    expect(existsSync(folder.join("tree"))).toBe(false);
  });

  test("leaves a folder that others fill without end, and says that it is not empty", async () => {
    writeTree(folder.path, { "tree/0": "x" });
    let index = 0;
    const check = (_: OpenFolder, name: string | undefined) => {
      if (name !== "tree") writeFileSync(folder.join("tree", `later-${index++}`), "");
    };
    expect(await remove({ check }).catch(({ code }) => code)).toBe("ENOTEMPTY");
    expect(index).toBeLessThan(1_000);
  });

  test("does not enter a link that has taken the place of a folder", async () => {
    writeTree(folder.path, { "other/kept": "x" });
    symlinkSync("other", folder.join("tree"));
    expect(await remove().catch(({ code }) => code)).toBe("ENOTDIR");
    expect(readdirSync(folder.join("other"))).toEqual(["kept"]);
  });
});

describe("LocalStorage.remove()", () => {
  test("that nobody wants any more says INTERRUPTED and leaves the rest", async () => {
    fill(folder.join("repository/tree"), 20_000);
    const storage = await LocalStorage.at(folder.join("repository"));
    const aborter = new AbortController();
    const removal = codeOf(() => storage.remove("tree", { recursive: true, signal: aborter.signal }));
    await new Promise((resolve) => setImmediate(resolve));
    aborter.abort();
    expect(await removal).toBe("INTERRUPTED");
    expect(readdirSync(folder.join("repository/tree")).length).toBeGreaterThan(10_000);
  });
});
