import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { lstatSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { FolderWatch } from "../../../lib/storage/folder-watch.ts";
import { LocalStorage } from "../../../lib/storage/local.ts";
import type { StorageChange, StorageEntry } from "../../../lib/storage/storage.ts";
import { writeTree } from "../../support/repository.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

let folder: TempFolder;
let storage: LocalStorage;
let told: StorageChange[];
let stop: () => void;

const inside = (path = "") => folder.join("repository", path);

/** What was told of everything so far; a file of its own shows that nothing more is to come. */
async function settled(): Promise<string[]> {
  const last = `~${told.length}`;
  writeFileSync(inside(last), "");
  await until(() => told.some(({ path }) => path === last));
  return told.filter(({ path }) => !path.startsWith("~")).map(({ change, path }) => `${change} ${path}`);
}

const saw = (change: string, path: string) =>
  until(() => told.find((one) => one.change === change && one.path === path));

beforeEach(async () => {
  folder = new TempFolder();
  writeTree(folder.path, { "repository/old": "x", "repository/tree/sub/deep": "x", "outside/a": "x" });
  storage = await LocalStorage.at(inside());
  told = [];
  stop = await storage.watch((changes) => told.push(...changes));
});

afterEach(() => {
  stop();
  folder[Symbol.dispose]();
});

describe("a watched folder", () => {
  test("tells what was there before only when it changes", async () => {
    expect(await settled()).toEqual([]);
    writeFileSync(inside("old"), "changed");
    expect(await saw("changed", "old")).toMatchObject({ entry: { kind: "file", size: 7 } });
    expect(await settled()).not.toContain("added old");
  });

  test("tells a file that is replaced atomically as changed", async () => {
    writeFileSync(folder.join("new"), "another");
    renameSync(folder.join("new"), inside("old"));
    expect(await saw("changed", "old")).toMatchObject({ entry: { size: 7 } });
    expect(await settled()).toEqual(["changed old"]);
  });

  test("tells a file that comes and goes deep below", async () => {
    writeFileSync(inside("tree/sub/new"), "x");
    await saw("added", "tree/sub/new");
    rmSync(inside("tree/sub/new"));
    await saw("removed", "tree/sub/new");
  });

  test("tells a rename as a removal and an addition", async () => {
    renameSync(inside("old"), inside("tree/new"));
    await saw("removed", "old");
    await saw("added", "tree/new");
  });

  test("tells a new folder, and what comes into it", async () => {
    mkdirSync(inside("new"));
    expect(await saw("added", "new")).toMatchObject({ entry: { kind: "folder" } });
    writeFileSync(inside("new/a"), "x");
    await saw("added", "new/a");
  });

  test("tells a folder that is moved in with all that is in it, each once as added", async () => {
    writeTree(folder.path, { "outside/sub/b": "x", "outside/sub/c/d": "x" });
    renameSync(folder.join("outside"), inside("in"));
    for (const path of ["in", "in/a", "in/sub", "in/sub/b", "in/sub/c", "in/sub/c/d"]) await saw("added", path);
    const added = (await settled()).filter((line) => line.startsWith("added"));
    expect(new Set(added).size).toBe(added.length);
  });

  test("tells a folder that is moved out as removed", async () => {
    renameSync(inside("tree"), folder.join("out"));
    await saw("removed", "tree");
  });

  test("tells a folder that is moved out and in again with all that is in it, as the first time", async () => {
    renameSync(inside("tree"), folder.join("out"));
    await saw("removed", "tree");
    renameSync(folder.join("out"), inside("tree"));
    await saw("added", "tree");
    expect(await settled()).toEqual(expect.arrayContaining(["added tree/sub", "added tree/sub/deep"]));
  });

  test("tells nothing of unfinished files and of names that are no paths", async () => {
    for (const name of ["a.commserver-part", "a.commserver-journal", "tree/b.commserver-part", "bad\\name"]) {
      writeFileSync(inside(name), "x");
    }
    expect(await settled()).toEqual([]);
  });

  test("tells an unfinished file that gets its name as added", async () => {
    writeFileSync(inside("a.commserver-part"), "x");
    renameSync(inside("a.commserver-part"), inside("a"));
    await saw("added", "a");
    expect(await settled()).toEqual(["added a"]);
  });

  test("tells a link as stat() and list() do", async () => {
    symlinkSync("old", inside("link"));
    const change = await saw("added", "link");
    expect(change).toMatchObject({ entry: await storage.stat("link").then(({ kind, size }) => ({ kind, size })) });
  });

  test("can be left and watched again", async () => {
    stop();
    writeFileSync(inside("meanwhile"), "x");
    stop = await storage.watch((changes) => told.push(...changes));
    writeFileSync(inside("meanwhile"), "xy");
    await saw("changed", "meanwhile");
    expect(await settled()).toEqual(["changed meanwhile"]);
  });
});

test("what is told last of a path is how it is, however long the look at a folder takes", async () => {
  const gate = Promise.withResolvers<void>();
  let isHeld = false;
  const walk = async function* (path: string) {
    if (path !== "moved") return yield* storage.list(path, { enter: () => true, skipped: { count: 0 } });
    isHeld = true;
    await gate.promise;
    yield [];
  };
  const look = (path: string): StorageEntry | undefined => {
    const stats = lstatSync(inside(path), { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    const kind = stats.isDirectory() ? "folder" : "file";
    return { path, kind, size: 0, modifiedAt: 0, executable: false, etag: "" };
  };
  const watch = new FolderWatch(inside(), walk, look);
  const lines: string[] = [];
  const end = await watch.subscribe((changes) => lines.push(...changes.map(({ change, path }) => `${change} ${path}`)));
  renameSync(folder.join("outside"), inside("moved"));
  await until(() => isHeld);
  rmSync(inside("moved"), { recursive: true });
  writeFileSync(inside("mark"), "");
  // The other watch shows that the system has told of all that; this one may tell it now or after its look.
  await saw("added", "mark");
  await settled();
  gate.resolve();
  await until(() => lines.includes("added mark") && lines.some((line) => line.endsWith("moved")));
  writeFileSync(inside("mark2"), "");
  await until(() => lines.includes("added mark2"));
  expect(lines.filter((line) => line.endsWith(" moved")).at(-1)).not.toBe("added moved");
  end();
});

test("a root that is not there can't be watched", async () => {
  rmSync(inside(), { recursive: true });
  stop();
  expect(await storage.watch(() => {}).catch(({ code }) => code)).toBe("INTERNAL");
});
