import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { libc } from "../../../lib/platform/libc.ts";
import { Folders } from "../../../lib/storage/local/folders.ts";
import { lookIn } from "../../../lib/storage/local/local-list.ts";
import { FULL } from "../../../lib/storage/local/watch/best-source.ts";
import { FolderWatch } from "../../../lib/storage/local/watch/folder-watch.ts";
import { InotifySource } from "../../../lib/storage/local/watch/inotify-source.ts";
import type { KnownFolder } from "../../../lib/storage/local/watch/known-folder.ts";
import { MAX_TOUCHED } from "../../../lib/storage/local/watch/touches.ts";
import type { TreeSink, TreeSource } from "../../../lib/storage/local/watch/tree-source.ts";
import { lineOf } from "../../support/changes.ts";
import { Program } from "../../support/program.ts";
import { writeTree } from "../../support/repository.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

const FOLDERS = 50;
const FILES = 200;

let folder: TempFolder;
let folders: Folders;
let lines: string[];
/** The largest number of changes that were told together. */
let together: number;
/** What it took: looks at single paths, and folders that the system was asked to watch. */
let work: { looks: number; watches: number };

const inside = (path = "") => folder.join("repository", path);

/** Hard links to one file: they are made ten times as fast as files. */
function fill(top: string): void {
  mkdirSync(top, { recursive: true });
  writeFileSync(`${top}/first`, "");
  for (let index = 0; index < FOLDERS; index++) {
    mkdirSync(`${top}/folder${index}`);
    for (let file = 0; file < FILES; file++) linkSync(`${top}/first`, `${top}/folder${index}/file${file}`);
  }
}

function watching(openSource?: (sink: TreeSink) => TreeSource): Promise<() => void> {
  const open = openSource ?? ((sink: TreeSink) => InotifySource.open(sink) as TreeSource);
  const watch = new FolderWatch({
    folders,
    look(opened, path) {
      work.looks++;
      return lookIn(folders, opened, path);
    },
    openSource(_, sink) {
      const opened = open(sink);
      const source: TreeSource = {
        isExact: opened.isExact,
        watch(one: KnownFolder, place: string) {
          work.watches++;
          return opened.watch(one, place);
        },
        isSame: (one: KnownFolder, place: string) => opened.isSame(one, place),
        unwatch: (one: KnownFolder) => opened.unwatch(one),
        noteLook: () => {},
        close: () => opened.close(),
      };
      return { source, lateness: undefined };
    },
  });
  return watch.subscribe((changes) => {
    together = Math.max(together, changes.length);
    lines.push(...changes.map(lineOf));
  });
}

const saw = (line: string) => until(() => lines.includes(line));

/** A file of its own shows that all before it was told. */
async function settled(): Promise<string[]> {
  const last = `~${lines.length}`;
  writeFileSync(inside(last), "");
  await saw(`added ${last}`);
  return lines.filter((line) => !line.includes("~"));
}

beforeEach(() => {
  folder = new TempFolder();
  mkdirSync(inside());
  folders = new Folders(inside(), { owner: "server" });
  lines = [];
  together = 0;
  work = { looks: 0, watches: 0 };
});

afterEach(() => folder[Symbol.dispose]());

describe.skipIf(libc().inotify === undefined)("a watch that the system serves folder by folder", () => {
  test("does nothing for what is in a folder that is renamed: two looks, and no folder is learnt again", async () => {
    fill(inside("big"));
    const stop = await watching();
    expect(work).toEqual({ looks: 0, watches: FOLDERS + 2 });
    work.watches = 0;
    renameSync(inside("big"), inside("big2"));
    await saw("added big2");
    renameSync(inside("big2"), inside("big"));
    await saw("added big");
    expect(await settled()).toEqual(["removed big", "added big2", "removed big2", "added big"]);
    // Two that came; what went need not be looked at. And the file of settled(), which may be touched twice.
    expect(work.looks).toBeLessThanOrEqual(4);
    expect(work.watches).toBe(0);
    stop();
  });

  test("learns a folder that comes by the names in it alone, in turns, and tells it once", async () => {
    const stop = await watching();
    fill(folder.join("outside"));
    work = { looks: 0, watches: 0 };
    let fired = 0;
    const timer = setInterval(() => fired++, 1);
    renameSync(folder.join("outside"), inside("big"));
    await saw("added big");
    clearInterval(timer);
    expect(work).toEqual({ looks: 1, watches: FOLDERS + 1 });
    expect(fired).toBeGreaterThan(2);
    expect(await settled()).toEqual(["added big"]);
    stop();
  });

  test("tells what is copied and removed beside it some hundred changes at a time", async () => {
    fill(folder.join("outside"));
    const stop = await watching();
    await Bun.spawn(["cp", "-r", folder.join("outside"), inside("big")]).exited;
    await settled();
    await Bun.spawn(["rm", "-r", inside("big")]).exited;
    await settled();
    expect(lines).toContain("removed big");
    expect(together).toBeLessThan(300);
    stop();
  });

  test("looks at nothing that has gone", async () => {
    fill(inside("big"));
    const stop = await watching();
    rmSync(inside("big"), { recursive: true });
    await saw("removed big");
    expect(work.looks).toBe(0);
    stop();
  });
});

describe("a watch that can't keep up", () => {
  /** A source of which the test tells what happens. */
  function told(): { open: (sink: TreeSink) => TreeSource; sinks: TreeSink[]; roots: KnownFolder[] } {
    const sinks: TreeSink[] = [];
    const roots: KnownFolder[] = [];
    const open = (sink: TreeSink): TreeSource => {
      sinks.push(sink);
      return {
        isExact: true,
        watch: (one) => {
          if (one.path === "") roots.push(one);
          return true;
        },
        isSame: () => true,
        noteLook() {},
        unwatch() {},
        close() {},
      };
    };
    return { open, sinks, roots };
  }

  const arrival = { isFolder: false, cookie: 0 };

  test("reports how much was missed after it has read the tree again, and then what comes", async () => {
    const { open, sinks, roots } = told();
    writeTree(inside(), { old: "x" });
    const stop = await watching(open);
    for (let index = 0; index <= MAX_TOUCHED; index++) sinks[0]?.came(roots[0] as KnownFolder, `${index}`, arrival);
    writeTree(inside(), { meanwhile: "x" });
    await until(() => lines.length > 0);
    expect(lines).toEqual([`missed ${MAX_TOUCHED + 2}`]);
    expect(sinks).toHaveLength(2);
    // Known, because who was told of what was missed has listed it.
    sinks[1]?.touched(roots[1] as KnownFolder, "meanwhile");
    await saw("changed meanwhile");
    expect(work.looks).toBe(1);
    stop();
  });

  test("tells each time that more is lost, and ends with the last who watches", async () => {
    const { open, sinks } = told();
    const stop = await watching(open);
    for (let round = 1; round <= 2; round++) {
      sinks.at(-1)?.lost();
      sinks.at(-1)?.lost();
      await until(() => lines.length === round);
    }
    expect(lines).toEqual(["missed 1", "missed 1"]);
    stop();
    sinks.at(-1)?.lost();
    expect(sinks).toHaveLength(3);
  });

  test("looks from time to time when the system can't watch so many folders, and says so", async () => {
    writeTree(inside(), { "a/b": "x" });
    const few = (): TreeSource => ({
      isExact: true,
      watch: ({ path }) => path === "",
      isSame: () => true,
      noteLook() {},
      unwatch() {},
      close() {},
    });
    const stop = await watching(few);
    expect(lines).toEqual([`missed 0: ${FULL.message}`]);
    writeTree(inside(), { "a/c": "x" });
    await saw("added a/c");
    stop();
  });

  test("looks from time to time from then on when the system can't watch a folder that comes", async () => {
    const { open, sinks, roots } = told();
    const stop = await watching((sink) => ({
      ...open(sink),
      watch: (one) => open(sink).watch(one, "") && one.path === "",
    }));
    writeTree(inside(), { "new/a": "x" });
    sinks[0]?.came(roots[0] as KnownFolder, "new", { isFolder: true, cookie: 0 });
    await until(() => lines.some((line) => line === `missed 0: ${FULL.message}`));
    expect(lines.filter((line) => line.startsWith("missed"))).toHaveLength(2);
    writeTree(inside(), { "new/b": "x" });
    await saw("added new/b");
    stop();
  });
});

test.skipIf(process.platform !== "linux")("what the system's queue can't keep is told as missed", async () => {
  const most = Number(readFileSync("/proc/sys/fs/inotify/max_queued_events", "utf8"));
  const script = `
    const { LocalStorage } = await import(${JSON.stringify(`${import.meta.dir}/../../../lib/storage/local/local.ts`)});
    const storage = await LocalStorage.at(${JSON.stringify(inside())});
    await storage.watch((changes) => {
      for (const { change, path, count } of changes) if (change === "missed" || path === "later") console.log(change, path ?? count);
    });
    console.log("watching");
    setInterval(() => {}, 1e6);`;
  await using child = new Program([process.execPath, "-e", script]);
  await child.hear((line) => line === "watching");
  child.signal("SIGSTOP");
  try {
    writeFileSync(inside("0"), "");
    for (let index = 1; index < most + 1_000; index++) linkSync(inside("0"), inside(String(index)));
  } finally {
    child.signal("SIGCONT");
  }
  await child.hear((line) => line.startsWith("missed"));
  writeFileSync(inside("later"), "");
  await child.hear((line) => line.endsWith("later"));
});
