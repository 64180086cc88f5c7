import { afterEach, describe, expect, test } from "bun:test";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { DEAF } from "../../../lib/storage/local/watch/best-source.ts";
import { lineOf } from "../../support/changes.ts";
import { isSkipped, namedWhy } from "../../support/launched.ts";
import { missingOverlay, missingSshfs, overlayMount, sshfsMounts } from "../../support/mounts.ts";
import { writeTree } from "../../support/repository.ts";
import { noSmallDisk, smallDiskTest } from "../../support/small-disk.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { noPermissionTests, permissionTest, unprivileged } from "../../support/unprivileged.ts";
import { until } from "../../support/until.ts";

let lines: string[] = [];
let notices: string[] = [];
let stop = () => {};

async function watch(path: string): Promise<LocalStorage> {
  lines = [];
  notices = [];
  const storage = await LocalStorage.at(path, { onNotice: (message) => notices.push(message) });
  stop = await storage.watch((changes) => lines.push(...changes.map(lineOf)));
  return storage;
}

const saw = (line: string) => until(() => lines.includes(line));
const sawMissed = (words: string) =>
  until(() => lines.some((line) => line.startsWith("missed ") && line.includes(words)));

afterEach(() => stop());

const noSshfs = missingSshfs();
describe.skipIf(isSkipped(noSshfs))(namedWhy("a folder of another machine (sshfs)", noSshfs), () => {
  test("is polled: others' changes are reported late, which is announced at once", async () => {
    await using ways = await sshfsMounts();
    const [real = "", one = ""] = ways.paths;
    writeTree(real, { old: "x", "tree/deep": "x" });
    await watch(one);
    expect(lines).toEqual([`missed 0: ${DEAF.message}`]);
    expect(notices.filter((notice) => notice === DEAF.advice)).toHaveLength(1);
    writeTree(real, { "tree/new": "x" });
    await saw("added tree/new");
    writeTree(real, { "tree/deep": "longer" });
    await saw("changed tree/deep");
    rmSync(join(real, "tree"), { recursive: true });
    await saw("removed tree");
    // What comes through the mount itself is told as everywhere, and not once more when it is looked at.
    writeFileSync(join(one, "own"), "x");
    await saw("added own");
    writeTree(real, { last: "x" });
    await saw("added last");
    expect(lines.filter((line) => line.endsWith(" own"))).toEqual(["added own"]);
    stop();
  }, 180_000);
});

const noOverlay = await missingOverlay();
describe.skipIf(isSkipped(noOverlay))(namedWhy("an overlay", noOverlay), () => {
  test("is polled: changes in a layer are reported", async () => {
    await using ways = await overlayMount();
    const [upper = "", merged = ""] = ways.paths;
    writeTree(upper, { old: "x" });
    await watch(merged);
    expect(lines).toEqual([]);
    writeFileSync(join(merged, "own"), "x");
    await saw("added own");
    // The first look has been when this is told.
    await until(() => {
      writeFileSync(join(upper, "old"), `longer ${performance.now()}`);
      return lines.includes("changed old");
    });
    expect(lines.filter((line) => line.endsWith(" own"))).toEqual(["added own"]);
    stop();
  }, 180_000);
});

describe.skipIf(noSmallDisk !== undefined)("a disk that comes and goes", () => {
  const mount = (path: string) => Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", path]);
  const unmount = (path: string) => Bun.spawnSync(["umount", "-l", path]);

  for (const where of ["at the root", "in a folder below"]) {
    test(smallDiskTest(`${where} is told each time, and what happens on it then`), async () => {
      using folder = new TempFolder();
      writeTree(folder.path, { "repository/disk/under": "x" });
      const place = folder.join("repository/disk");
      const root = where === "at the root" ? place : folder.join("repository");
      const path = where === "at the root" ? "" : "disk/";
      try {
        await watch(root);
        mount(place);
        await sawMissed("another folder than before, or a disk in it came or went");
        writeFileSync(join(place, "on"), "x");
        await saw(`added ${path}on`);
        lines.length = 0;
        unmount(place);
        await sawMissed("");
        writeFileSync(join(place, "under"), "longer");
        await saw(`changed ${path}under`);
      } finally {
        unmount(place);
        stop();
      }
    }, 180_000);
  }
});

describe("a repository that is replaced", () => {
  test("is reported as gone and as back, and so is what happens in it then", async () => {
    using folder = new TempFolder();
    writeTree(folder.path, { "repository/old": "x", "other/a": "x" });
    await watch(folder.join("repository"));
    renameSync(folder.join("repository"), folder.join("away"));
    await sawMissed("The server's repository is not there at present.");
    renameSync(folder.join("other"), folder.join("repository"));
    await sawMissed("another folder than before");
    writeFileSync(folder.join("repository/a"), "longer");
    await saw("changed a");
    // The folders of other tests are gone by now, and of that their watches may hear.
    const ours = notices.filter((notice) => notice.includes(folder.path));
    expect(ours).toEqual([expect.stringContaining("is not there")]);
    stop();
  }, 180_000);

  test("behind a link that is switched is watched where the link leads", async () => {
    using folder = new TempFolder();
    writeTree(folder.path, { "one/old": "x", "other/a": "x" });
    symlinkSync("one", folder.join("current"));
    await watch(folder.join("current"));
    symlinkSync("other", folder.join("next"));
    renameSync(folder.join("next"), folder.join("current"));
    await sawMissed("another folder than before");
    writeFileSync(folder.join("other/a"), "longer");
    await saw("changed a");
    stop();
  }, 180_000);
});

test.skipIf(noPermissionTests !== undefined)(
  permissionTest("a folder that may not be read keeps nobody from watching the others"),
  async () => {
    using folder = new TempFolder();
    writeTree(folder.path, { "repository/open/a": "x" });
    mkdirSync(folder.join("repository/closed"), { mode: 0o000 });
    await unprivileged(folder.path, async () => {
      await watch(folder.join("repository"));
    });
    writeTree(folder.path, { "repository/open/b": "x" });
    await saw("added open/b");
    expect(lines).toEqual(["added open/b"]);
    stop();
  },
);
