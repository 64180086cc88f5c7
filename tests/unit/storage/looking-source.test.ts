import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import fs, { mkdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { diskClock } from "../../../lib/storage/local/disk-clock.ts";
import { Folders } from "../../../lib/storage/local/folders.ts";
import { lookIn } from "../../../lib/storage/local/local-list.ts";
import { FolderWatch } from "../../../lib/storage/local/watch/folder-watch.ts";
import { KnownFolder } from "../../../lib/storage/local/watch/known-folder.ts";
import { LOOK_MS, LookingSource, restAfter } from "../../../lib/storage/local/watch/looking-source.ts";
import type { TreeSink } from "../../../lib/storage/local/watch/tree-source.ts";
import { eventLoopTurn } from "../../../lib/turn.ts";
import { lineOf } from "../../support/changes.ts";
import { writeTree } from "../../support/repository.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

let folder: TempFolder;
let lines: string[];
let stop: () => void;
let clock: { mockRestore(): void };

const inside = (path = "") => folder.join("repository", path);
const saw = (line: string) => until(() => lines.includes(line));

/** What was told so far; a file of its own shows that nothing more is to come. */
async function settled(): Promise<string[]> {
  const last = `~${lines.length}`;
  writeFileSync(inside(last), "");
  await saw(`added ${last}`);
  return lines.filter((line) => !line.includes("~"));
}

beforeEach(async () => {
  // A look takes no time: on a busy machine it may take long, and the rest after it is a hundred times as long.
  clock = spyOn(performance, "now").mockReturnValue(0);
  folder = new TempFolder();
  writeTree(inside(), { old: "x", "tree/sub/deep": "x", "bad\nname": "x", "a.commserver-part": "x" });
  const folders = new Folders(inside(), { owner: "server" });
  const watch = new FolderWatch({
    folders,
    look: (opened, path) => lookIn(folders, opened, path),
    openSource: (_, sink) => ({ source: new LookingSource(sink, folders, 20), lateness: undefined }),
  });
  lines = [];
  stop = await watch.subscribe((changes) => lines.push(...changes.map(lineOf)));
});

afterEach(() => {
  stop();
  clock.mockRestore();
  folder[Symbol.dispose]();
});

describe("a tree that is looked at from time to time", () => {
  test("tells what came, changed and went since the last look, once", async () => {
    writeFileSync(inside("new"), "x");
    await saw("added new");
    writeFileSync(inside("tree/sub/deep"), "longer");
    await saw("changed tree/sub/deep");
    rmSync(inside("old"));
    await saw("removed old");
    expect(await settled()).toEqual(["added new", "changed tree/sub/deep", "removed old"]);
  });

  test("tells what changed before the first look", async () => {
    writeFileSync(inside("old"), "longer");
    await saw("changed old");
    expect(await settled()).toEqual(["changed old"]);
  });

  test("tells a folder that comes or goes once for all in it, and what comes into it", async () => {
    writeTree(folder.path, { "outside/sub/a": "x" });
    renameSync(folder.join("outside"), inside("in"));
    await saw("added in");
    writeFileSync(inside("in/sub/b"), "x");
    await saw("added in/sub/b");
    rmSync(inside("in"), { recursive: true });
    await saw("removed in");
    expect(await settled()).toEqual(["added in", "added in/sub/b", "removed in"]);
  });

  test("tells a folder in place of a file as both, and a file in place of a folder", async () => {
    rmSync(inside("old"));
    mkdirSync(inside("old"));
    await until(() => lines.includes("removed old") && lines.includes("added old"));
    lines.length = 0;
    rmSync(inside("old"), { recursive: true });
    writeFileSync(inside("old"), "x");
    await until(() => lines.includes("removed old") && lines.includes("added old"));
  });

  test("tells one that was replaced by another of the same size and time", async () => {
    const { atimeMs, mtimeMs } = statSync(inside("old"));
    writeFileSync(folder.join("other"), "y");
    utimesSync(folder.join("other"), atimeMs / 1000, mtimeMs / 1000);
    renameSync(folder.join("other"), inside("old"));
    await saw("changed old");
  });

  test("tells nothing of unfinished files and of names that are no paths", async () => {
    writeFileSync(inside("b.commserver-part"), "x");
    writeFileSync(inside("bad\nname"), "longer");
    expect(await settled()).toEqual([]);
  });
});

test("the rest after a look grows with what the look took: it takes a hundredth of a core", () => {
  expect(restAfter(0)).toBe(LOOK_MS);
  expect(restAfter(1_000)).toBe(99_000);
});

test("a look finds what a name was and what it is now: a folder goes before something else comes in its place", async () => {
  const heard: string[] = [];
  const sink: TreeSink = {
    came: (_, name, { isFolder }) => heard.push(`came ${name}${isFolder ? "/" : ""}`),
    gone: (_, name, { isFolder }) => heard.push(`gone ${name}${isFolder ? "/" : ""}`),
    touched: (_, name) => heard.push(`touched ${name}`),
    touchedPath() {},
    lost() {},
    full() {},
  };
  const source = new LookingSource(sink, new Folders(inside(), { owner: "server" }), 1);
  await source.watch(KnownFolder.root(), inside());
  rmSync(inside("tree"), { recursive: true });
  writeFileSync(inside("tree"), "x");
  rmSync(inside("old"));
  mkdirSync(inside("old"));
  await until(() => heard.includes("came old/") && heard.includes("came tree"));
  source.close();
  const first = [...new Set(heard)];
  expect(first.filter((line) => line.includes("tree"))).toEqual(["gone tree/", "came tree"]);
  expect(first.filter((line) => line.includes("old"))).toEqual(["came old/"]);
});

test("the time that others take between the pieces of a look is none of its own: it looks again soon", async () => {
  let looks = 0;
  const sink = { touched: () => looks++ } as Partial<TreeSink> as TreeSink;
  // By this clock a turn is over after a few pieces, and then others work for a minute.
  let now = 0;
  using _own = spyOn(diskClock, "now").mockImplementation(() => (now += 0.5));
  using _others = spyOn(diskClock, "turn").mockImplementation(async () => {
    await eventLoopTurn();
    now += 60_000;
  });
  const source = new LookingSource(sink, new Folders(inside(), { owner: "server" }), 1);
  await source.watch(KnownFolder.root(), inside());
  writeFileSync(inside("old"), "longer");
  // Nobody notes what was told, so that each look tells it.
  await until(() => looks >= 3);
  source.close();
});

test("a disk that answers at once is asked without other threads, and one that does not is asked by them", async () => {
  const names = Array.from({ length: 150 }, (_, index) => `${index}`);
  // Not in the tree that is watched already.
  const place = folder.join("many");
  writeTree(place, Object.fromEntries(names.map((name) => [name, "x"])));
  let now = 0;
  clock.mockRestore();
  clock = spyOn(performance, "now").mockImplementation(() => now);
  using _rested = spyOn(diskClock, "now").mockReturnValue(0);
  using asked = spyOn(fs, "lstatSync");
  const heard = new Set<string>();
  const sink = { touched: (_: KnownFolder, name: string) => void heard.add(name) } as Partial<TreeSink> as TreeSink;
  const folders = new Folders(place, { owner: "server" });
  const many = KnownFolder.root();
  const inMany = () => asked.mock.calls.filter(([path]) => /\/\d+$/.test(String(path))).length;

  const quick = new LookingSource(sink, folders, 60_000);
  await quick.watch(many, place);
  expect(inMany()).toBe(150);
  quick.close();

  asked.mockClear();
  clock.mockRestore();
  clock = spyOn(performance, "now").mockImplementation(() => (now += 0.5));
  const slow = new LookingSource(sink, folders, 60_000);
  await slow.watch(many, place);
  expect(inMany()).toBe(1);
  slow.close();
  // And what has changed is told as on any other.
  const again = new LookingSource(sink, folders, 1);
  await again.watch(many, place);
  for (const name of ["3", "77", "149"]) writeFileSync(`${place}/${name}`, "longer");
  await until(() => heard.size >= 3);
  again.close();
  expect([...heard].toSorted()).toEqual(["149", "3", "77"]);
});

test("a tree in which nothing needs polling is not polled", async () => {
  const folders = new Folders(inside(), { owner: "server" });
  // Only its own timers, which are told by their length: sources of other tests may still look.
  const leastMs = 3_600_000;
  const due: (() => void)[] = [];
  const later = setTimeout;
  using _timers = spyOn(globalThis, "setTimeout").mockImplementation(((work: () => void, ms: number) => {
    if (ms < leastMs) return later(work, ms);
    due.push(work);
    return { unref() {} };
  }) as never);
  const source = new LookingSource({} as TreeSink, folders, leastMs);
  const root = KnownFolder.root();
  await source.watch(root, inside());
  source.unwatch(root);
  expect(due).toHaveLength(1);
  due.shift()?.();
  await eventLoopTurn();
  expect(due).toEqual([]);
  // Until there is something again.
  await source.watch(root, inside());
  expect(due).toHaveLength(1);
  source.close();
});
