import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { libc } from "../../../lib/platform/libc.ts";
import { InotifySource } from "../../../lib/storage/local/watch/inotify-source.ts";
import { KnownFolder } from "../../../lib/storage/local/watch/known-folder.ts";
import type { TreeSink } from "../../../lib/storage/local/watch/tree-source.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

let folder: TempFolder;
let source: InotifySource;
let root: KnownFolder;
let heard: string[];

beforeEach(() => {
  folder = new TempFolder();
  for (const name of ["a", "last"]) mkdirSync(folder.join(name));
  heard = [];
  const hear = (what: string) => (one: KnownFolder, name: string) => heard.push(`${what} ${one.pathOf(name)}`);
  const sink: TreeSink = {
    came: hear("came"),
    gone: hear("gone"),
    touched: hear("touched"),
    touchedPath() {},
    lost: () => heard.push("lost"),
    full: () => heard.push("full"),
  };
  source = InotifySource.open(sink) as InotifySource;
  root = KnownFolder.root();
  source.watch(root.addFolder("last"), folder.join("last"));
});

afterEach(() => {
  source.close();
  folder[Symbol.dispose]();
});

/** All that was heard before this: the system keeps the order. */
async function settled(): Promise<string[]> {
  writeFileSync(folder.join("last/sign"), "");
  await until(() => heard.includes("came last/sign"));
  return heard.filter((line) => !line.endsWith("last/sign"));
}

describe.skipIf(libc().inotify === undefined)("a folder that the system watches", () => {
  test("is reported until its watch ends", async () => {
    const known = root.addFolder("a");
    expect(source.watch(known, folder.join("a"))).toBe(true);
    mkdirSync(folder.join("a/heard"));
    expect(await settled()).toEqual(["came a/heard"]);
    source.unwatch(known);
    mkdirSync(folder.join("a/unheard"));
    heard = [];
    writeFileSync(folder.join("last/other"), "");
    await until(() => heard.includes("came last/other"));
    expect(heard.filter((line) => line.includes("unheard"))).toEqual([]);
  });

  test("is reported by its new name when the watch by its old one ends later", async () => {
    const [before, after] = [root.addFolder("before"), root.addFolder("after")];
    source.watch(before, folder.join("a"));
    source.watch(after, folder.join("a"));
    source.unwatch(before);
    mkdirSync(folder.join("a/new"));
    expect(await settled()).toEqual(["came after/new"]);
  });

  test("that was never watched has no watch to end", async () => {
    source.unwatch(root.addFolder("a"));
    expect(await settled()).toEqual([]);
  });
});
