import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { mkdirSync, renameSync } from "node:fs";
import { diskClock } from "../../../lib/storage/local/disk-clock.ts";
import { Folders } from "../../../lib/storage/local/folders.ts";
import { lookIn } from "../../../lib/storage/local/local-list.ts";
import type { KnownFolder } from "../../../lib/storage/local/watch/known-folder.ts";
import type { TreeSource } from "../../../lib/storage/local/watch/tree-source.ts";
import { WatchedTree } from "../../../lib/storage/local/watch/watched-tree.ts";
import { lineOf } from "../../support/changes.ts";
import { writeTree } from "../../support/repository.ts";
import { TempFolder } from "../../support/temp-folder.ts";

const FILE = { isFolder: false, cookie: 0 };
const FOLDER = { isFolder: true, cookie: 0 };

let folder: TempFolder;
let tree: WatchedTree;
let root: KnownFolder;
/** The folders that the source was asked to watch, in order: the root first. */
let watched: KnownFolder[];
/** What the source was asked to leave; "closed" is its end. */
let left: (string | undefined)[];
/** What the tree has told its owner. */
let told: ("touched" | "lost" | "full")[];
let now: number;
/** Whether the source knows of each move. */
let isExact: boolean;
let clock: { mockRestore(): void };

beforeEach(async () => {
  folder = new TempFolder();
  writeTree(folder.path, { old: "x" });
  [told, watched, left, now, isExact] = [[], [], [], 0, true];
  clock = spyOn(diskClock, "now").mockImplementation(() => now);
  const folders = new Folders(folder.path, { owner: "server" });
  const source: TreeSource = {
    get isExact() {
      return isExact;
    },
    watch(one) {
      watched.push(one);
      return true;
    },
    isSame: () => true,
    noteLook() {},
    unwatch: ({ name }) => void left.push(name),
    close: () => void left.push("closed"),
  };
  tree = new WatchedTree({
    folders,
    look: (opened, path) => lookIn(folders, opened, path),
    openSource: () => source,
    onTouched: () => told.push("touched"),
    onLost: () => told.push("lost"),
    onFull: () => told.push("full"),
  });
  expect(await tree.learn()).toBe(true);
  root = watched[0] as KnownFolder;
});

afterEach(async () => {
  await tree.close();
  clock.mockRestore();
  folder[Symbol.dispose]();
});

/** The changes of all that was touched, as they were put together. */
async function batches(): Promise<string[][]> {
  const all: string[][] = [];
  for await (const batch of tree.changes()) all.push(batch.map(lineOf));
  return all;
}

/** So many files come. */
function come(count: number): void {
  const names = Array.from({ length: count }, (_, index) => `new ${index}`);
  writeTree(folder.path, Object.fromEntries(names.map((name) => [name, "x"])));
  for (const name of names) tree.came(root, name, FILE);
}

describe("a watched tree", () => {
  test("tells at most 256 changes together, however fast they are found", async () => {
    come(600);
    expect((await batches()).map((batch) => batch.length)).toEqual([256, 256, 88]);
  });

  test("tells what it has found when its turn is over, and nothing when that is nothing", async () => {
    tree.gone(root, "never there", FILE);
    come(2);
    tree.gone(root, "nor this", FILE);
    // Each look at the clock finds the turn over.
    clock.mockRestore();
    clock = spyOn(diskClock, "now").mockImplementation(() => (now += 1_000));
    expect(await batches()).toEqual([["added new 0"], ["added new 1"]]);
  });

  test.each(["lost", "full"] as const)("that is %s says so once, and keeps no more touches", async (how) => {
    tree[how]();
    tree.lost();
    tree.full();
    tree.touched(root, "old");
    expect(told).toEqual([how]);
    expect(tree.isLost).toBe(true);
    expect(tree.touchedCount).toBe(0);
  });

  test("that is lost tells no change that it found before", async () => {
    come(3);
    tree.lost();
    expect(await batches()).toEqual([]);
  });

  test("that is closed is not lost any more, and has nothing to tell", async () => {
    come(1);
    const closing = tree.close();
    tree.lost();
    tree.full();
    tree.came(root, "late", FILE);
    await closing;
    expect(told).toEqual(["touched"]);
    expect(tree.isLost).toBe(false);
    expect(await batches()).toEqual([]);
  });

  test("looks at what came into a folder that has moved on when it hears where to, and watches that", async () => {
    mkdirSync(folder.join("tree"));
    tree.came(root, "tree", FOLDER);
    expect(await batches()).toEqual([["added tree"]]);
    const [, inner] = watched as [KnownFolder, KnownFolder];
    writeTree(folder.path, { "tree/file": "x", "tree/sub/deep": "x" });
    renameSync(folder.join("tree"), folder.join("moved"));
    // Of the move itself nothing was heard yet.
    tree.came(inner, "file", FILE);
    tree.came(inner, "sub", FOLDER);
    expect(await batches()).toEqual([]);
    tree.gone(root, "tree", { ...FOLDER, cookie: 1 });
    tree.came(root, "moved", { ...FOLDER, cookie: 1 });
    const lines = (await batches()).flat();
    expect(lines.toSorted()).toEqual(["added moved", "added moved/file", "added moved/sub", "removed tree"]);
    expect(watched.map((one) => one.path)).toEqual(["", "moved", "moved/sub"]);
    // Once: another move is no reason to look at them again.
    renameSync(folder.join("moved"), folder.join("last"));
    tree.gone(root, "moved", { ...FOLDER, cookie: 2 });
    tree.came(root, "last", { ...FOLDER, cookie: 2 });
    expect((await batches()).flat().toSorted()).toEqual(["added last", "removed moved"]);
  });

  test("tells a folder that moved into one which has moved on, where both are", async () => {
    for (const name of ["tree", "other"]) mkdirSync(folder.join(name));
    for (const name of ["tree", "other"]) tree.came(root, name, FOLDER);
    await batches();
    const [, inner] = watched as [KnownFolder, KnownFolder];
    renameSync(folder.join("other"), folder.join("tree/in"));
    renameSync(folder.join("tree"), folder.join("moved"));
    tree.gone(root, "other", { ...FOLDER, cookie: 1 });
    tree.came(inner, "in", { ...FOLDER, cookie: 1 });
    expect(await batches()).toEqual([["removed other"]]);
    tree.gone(root, "tree", { ...FOLDER, cookie: 2 });
    tree.came(root, "moved", { ...FOLDER, cookie: 2 });
    expect((await batches()).flat().toSorted()).toEqual(["added moved", "added moved/in", "removed tree"]);
    // Nothing was learnt again.
    expect(watched.map((one) => one.path)).toEqual(["", "moved", "moved/in"]);
  });

  test.each(["names in one folder", "folders"])("is lost when too many %s wait to be heard of again", async (what) => {
    mkdirSync(folder.join("tree"));
    const names = Array.from({ length: 1_001 }, (_, index) => `${index}`);
    if (what === "folders") for (const name of names) mkdirSync(folder.join(`tree/${name}`));
    tree.came(root, "tree", FOLDER);
    await batches();
    renameSync(folder.join("tree"), folder.join("elsewhere"));
    const [, inner, ...below] = watched;
    const touch = (name: string, at: number) => {
      if (what === "folders") tree.came(below[at] as KnownFolder, "file", FILE);
      else tree.came(inner as KnownFolder, name, FILE);
    };
    names.slice(0, 1_000).forEach(touch);
    expect(await batches()).toEqual([]);
    expect(tree.isLost).toBe(false);
    touch("1000", 1_000);
    await batches();
    expect(told.at(-1)).toBe("lost");
  });

  test("leaves a folder that has got the name of an unfinished file, or that nobody heard of again", async () => {
    for (const name of ["one", "two"]) mkdirSync(folder.join(name));
    for (const name of ["one", "two"]) tree.came(root, name, FOLDER);
    await batches();
    tree.gone(root, "one", { ...FOLDER, cookie: 1 });
    tree.came(root, "one.commserver-part", { ...FOLDER, cookie: 1 });
    expect(left).toEqual(["one"]);
    tree.gone(root, "two", { ...FOLDER, cookie: 2 });
    await batches();
    expect(left).toEqual(["one", "two"]);
  });

  test("leaves all its folders before its source is closed, however long that takes", async () => {
    writeTree(folder.path, { "tree/a/deep/x": "x", "tree/b/x": "x" });
    tree.came(root, "tree", FOLDER);
    await batches();
    // Each look at the clock finds the turn over.
    clock.mockRestore();
    clock = spyOn(diskClock, "now").mockImplementation(() => (now += 1_000));
    await tree.close();
    expect(left.toSorted()).toEqual(["", "a", "b", "closed", "deep", "tree"]);
    expect(left.at(-1)).toBe("closed");
  });

  test("looks by the path, and not in a folder that was there a moment ago, where moves are not heard of", async () => {
    isExact = false;
    // All of it in one moment, however busy the machine is.
    using _moment = spyOn(performance, "now").mockReturnValue(0);
    writeTree(folder.path, { "tree/file": "x" });
    tree.came(root, "tree", FOLDER);
    await batches();
    const inner = watched[1] as KnownFolder;
    tree.touched(inner, "file");
    expect(await batches()).toEqual([["changed tree/file"]]);
    renameSync(folder.join("tree"), folder.join("elsewhere"));
    mkdirSync(folder.join("tree"));
    tree.touched(inner, "file");
    expect(await batches()).toEqual([["removed tree/file"]]);
  });

  test("hears by path of a file in a folder that it knows, of a new folder for all in it, and of no unfinished file", async () => {
    writeTree(folder.path, { "tree/file": "x" });
    tree.came(root, "tree", FOLDER);
    await batches();
    writeTree(folder.path, { "tree/file": "longer", "tree/part.commserver-part": "x", "new/sub/deep": "x" });
    for (const path of [
      "tree/file",
      "tree/part.commserver-part",
      "tree/part.commserver-part/in it",
      "new/sub/deep",
      "../x",
    ]) {
      tree.touchedPath(path);
    }
    expect(tree.touchedCount).toBe(2);
    expect((await batches()).flat().toSorted()).toEqual(["added new", "changed tree/file"]);
  });
});
