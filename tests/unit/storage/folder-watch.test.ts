import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import type { StorageChange } from "../../../lib/storage/storage.ts";
import { lineOf, pathOf } from "../../support/changes.ts";
import { codeOf } from "../../support/fault.ts";
import { walk, writeTree } from "../../support/repository.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";
import { withUntypedNames } from "../../support/untyped-names.ts";

let folder: TempFolder;
let storage: LocalStorage;
let told: StorageChange[];
let stop: () => void;

const inside = (path = "") => folder.join("repository", path);

/** What was told of everything so far; a file of its own shows that nothing more is to come. */
async function settled(): Promise<string[]> {
  const last = `~${told.length}`;
  writeFileSync(inside(last), "");
  await until(() => told.some((one) => pathOf(one) === last));
  return told.filter((one) => !pathOf(one)?.startsWith("~")).map(lineOf);
}

const saw = (change: string, path: string) => until(() => told.find((one) => lineOf(one) === `${change} ${path}`));

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

  test("tells a file that gets another time as changed", async () => {
    utimesSync(inside("tree/sub/deep"), 1_000, 1_000);
    expect(await saw("changed", "tree/sub/deep")).toMatchObject({ entry: { modifiedAt: 1_000_000 } });
  });

  test("tells a file that comes and goes deep below", async () => {
    writeFileSync(inside("tree/sub/new"), "x");
    await saw("added", "tree/sub/new");
    rmSync(inside("tree/sub/new"));
    await saw("removed", "tree/sub/new");
  });

  test("tells nothing of a file that has gone again before it was looked at", async () => {
    for (let index = 0; index < 20; index++) {
      writeFileSync(inside(`brief ${index}`), "x");
      rmSync(inside(`brief ${index}`));
    }
    const lines = await settled();
    // The system may have told the first half of it alone: then both halves are.
    expect(lines.filter((line) => line.startsWith("added")).length).toBe(
      lines.filter((line) => line.startsWith("removed")).length,
    );
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

  test("tells a folder that is moved in once, for all that is in it", async () => {
    writeTree(folder.path, { "outside/sub/b": "x", "outside/sub/c/d": "x" });
    renameSync(folder.join("outside"), inside("in"));
    await saw("added", "in");
    expect(await settled()).toEqual(["added in"]);
    // What is there then is known: it is not added when it changes, and its own watch is there.
    writeFileSync(inside("in/sub/c/d"), "longer");
    await saw("changed", "in/sub/c/d");
    writeFileSync(inside("in/sub/e"), "x");
    await saw("added", "in/sub/e");
  });

  test("tells a folder that is renamed once each way, and what changes below by its new path alone", async () => {
    renameSync(inside("tree"), inside("moved"));
    await saw("removed", "tree");
    await saw("added", "moved");
    writeFileSync(inside("moved/sub/deep"), "longer");
    await saw("changed", "moved/sub/deep");
    rmSync(inside("moved/sub/deep"));
    await saw("removed", "moved/sub/deep");
    const lines = await settled();
    expect(lines.slice(0, 2).toSorted()).toEqual(["added moved", "removed tree"]);
    expect(new Set(lines.slice(2))).toEqual(new Set(["changed moved/sub/deep", "removed moved/sub/deep"]));
  });

  test("tells a folder that has taken another's place, and not the one that went", async () => {
    mkdirSync(inside("empty"));
    await saw("added", "empty");
    told.length = 0;
    renameSync(inside("tree"), inside("empty"));
    await saw("removed", "tree");
    await saw("added", "empty");
    writeFileSync(inside("empty/sub/deep"), "longer");
    await saw("changed", "empty/sub/deep");
  });

  test("tells a folder that is moved out as removed, and nothing more of it", async () => {
    renameSync(inside("tree"), folder.join("out"));
    await saw("removed", "tree");
    writeFileSync(folder.join("out/sub/deep"), "longer");
    expect(await settled()).toEqual(["removed tree"]);
  });

  test("tells a folder that is moved out and in again as the first time", async () => {
    renameSync(inside("tree"), folder.join("out"));
    await saw("removed", "tree");
    writeFileSync(folder.join("out/sub/meanwhile"), "x");
    renameSync(folder.join("out"), inside("tree"));
    await saw("added", "tree");
    expect(await settled()).toEqual(["removed tree", "added tree"]);
    writeFileSync(inside("tree/sub/meanwhile"), "longer");
    await saw("changed", "tree/sub/meanwhile");
  });

  test("forgets what was below a folder that has gone", async () => {
    rmSync(inside("tree"), { recursive: true });
    await saw("removed", "tree");
    mkdirSync(inside("tree"));
    await saw("added", "tree");
    mkdirSync(inside("tree/sub"));
    await saw("added", "tree/sub");
    writeFileSync(inside("tree/sub/deep"), "x");
    await saw("added", "tree/sub/deep");
    expect(await settled()).not.toContain("changed tree/sub/deep");
  });

  test("tells a folder in place of a file as both, and a file in place of a folder", async () => {
    rmSync(inside("old"));
    mkdirSync(inside("old"));
    await saw("added", "old");
    rmSync(inside("old"), { recursive: true });
    writeFileSync(inside("old"), "x");
    await until(() => told.some((one) => lineOf(one) === "added old" && "entry" in one && one.entry.kind === "file"));
    const lines = await settled();
    expect(lines.filter((line) => line === "removed old")).toHaveLength(2);
    writeFileSync(inside("old"), "longer");
    await saw("changed", "old");
  });

  test("reports a folder that is removed and made again at once as both, and what comes into it", async () => {
    rmSync(inside("tree"), { recursive: true });
    mkdirSync(inside("tree"));
    await saw("added", "tree");
    writeFileSync(inside("tree/new"), "x");
    await saw("added", "tree/new");
    expect(await settled()).toContain("removed tree");
  });

  test("tells nothing of unfinished files and of names that are no paths", async () => {
    for (const name of ["a.commserver-part", "a.commserver-journal", "tree/b.commserver-part", "bad\nname"]) {
      writeFileSync(inside(name), "x");
    }
    mkdirSync(inside("bad\nfolder/sub"), { recursive: true });
    writeFileSync(inside("bad\nfolder/sub/a"), "x");
    expect(await settled()).toEqual([]);
  });

  test.if(process.platform === "linux")("tells nothing of a name that is not UTF-8", async () => {
    writeFileSync(Buffer.concat([Buffer.from(inside("tree/")), Buffer.from([0x61, 0xff])]), "x");
    writeFileSync(inside("tree/\ufffd"), "x");
    await saw("added", "tree/\ufffd");
    expect(await settled()).toEqual(["added tree/\ufffd"]);
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

  test("reports a link to a folder as a link, and nothing behind it", async () => {
    symlinkSync("../outside", inside("way out"));
    symlinkSync("tree", inside("way in"));
    await saw("added", "way out");
    expect(await saw("added", "way in")).toMatchObject({ entry: { kind: "link" } });
    writeFileSync(folder.join("outside/a"), "longer");
    expect((await settled()).toSorted()).toEqual(["added way in", "added way out"]);
  });

  test("tells what can be read of a folder when it may be read", async () => {
    chmodSync(inside("tree/sub"), 0o000);
    chmodSync(inside("tree/sub"), 0o755);
    writeFileSync(inside("tree/sub/new"), "x");
    await saw("added", "tree/sub/new");
  });

  test("can be left and watched again", async () => {
    stop();
    writeFileSync(inside("meanwhile"), "x");
    stop = await storage.watch((changes) => told.push(...changes));
    writeFileSync(inside("meanwhile"), "xy");
    // Both may have been looked at as one.
    await until(() => told.some((one) => pathOf(one) === "meanwhile" && "entry" in one && one.entry.size === 2));
    expect(await settled()).toHaveLength(1);
  });

  test("tells enough to follow it, whatever folders are moved while they are filled", async () => {
    const follower = new Follower(inside());
    const leave = await storage.watch((changes) => follower.take(changes));
    const names = ["a", "b", "c"];
    for (let round = 0; round < 300; round++) {
      const [from, to] = [names[round % 3] as string, names[(round * 7 + 1) % 3] as string];
      mkdirSync(inside(`${from}/sub${round % 5}`), { recursive: true });
      writeFileSync(inside(`${from}/sub${round % 5}/file${round}`), "x");
      if (round % 4 === 3) rmSync(inside(to), { recursive: true, force: true });
      if (round % 4 === 3 && from !== to) renameSync(inside(from), inside(to));
      // Folders are looked at when they have moved on already.
      if (round % 3 === 0) Bun.sleepSync(round % 8);
      if (round % 16 === 15) await settled();
    }
    await settled();
    await until(async () => {
      const { paths } = await walk(storage);
      return Bun.deepEquals(paths.toSorted(), [...follower.paths].toSorted());
    });
    // And all of it is watched.
    const files = [...follower.paths].filter((path) => path.includes("/file"));
    for (const path of files) writeFileSync(inside(path), "longer");
    for (const path of files) await saw("changed", path);
    leave();
  });
});

/** Somebody who knows a tree by what is told of it alone, and lists each folder that is added. */
class Follower {
  readonly #root: string;
  readonly paths: Set<string>;

  constructor(root: string) {
    this.#root = root;
    this.paths = new Set(below(root, ""));
  }

  take(changes: readonly StorageChange[]): void {
    for (const change of changes) {
      if (change.change === "missed") continue;
      const { path } = change;
      if (change.change === "removed") {
        for (const one of this.paths) if (one === path || one.startsWith(`${path}/`)) this.paths.delete(one);
        continue;
      }
      this.paths.add(path);
      if (change.entry.kind === "folder") for (const one of below(this.#root, path)) this.paths.add(one);
    }
  }
}

function below(root: string, folder: string): string[] {
  try {
    return readdirSync(`${root}/${folder}`, { recursive: true }).map((name) =>
      folder === "" ? String(name) : `${folder}/${name}`,
    );
  } catch {
    return []; // gone again, which will be told
  }
}

test.if(process.platform === "linux")(
  "folders of a disk that says of no name what it is are watched, too",
  async () => {
    stop();
    using _names = withUntypedNames();
    const other = await LocalStorage.at(inside());
    stop = await other.watch((changes) => told.push(...changes));
    writeFileSync(inside("tree/sub/new"), "x");
    await saw("added", "tree/sub/new");
  },
);

test("a root that is not there can't be watched", async () => {
  const other = await LocalStorage.at(inside());
  rmSync(inside(), { recursive: true });
  expect(await codeOf(() => other.watch(() => {}))).toBe("UNREADABLE");
});

test("a root that goes and comes is not watched in silence", async () => {
  rmSync(inside(), { recursive: true });
  await until(() => told.some(({ change }) => change === "missed"));
});
