/** A disk that is detached while a path on it is looked up: nothing is then read or written on another one. */
import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import fs, { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { DiskSources } from "../../../lib/cli/client/local-sources.ts";
import { openTarget } from "../../../lib/cli/client/local-target.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { PrivatePlaces } from "../../../lib/storage/local/private/private-places.ts";
import { O_PATH, procPath } from "../../../lib/storage/local/proc-path.ts";
import { realPath } from "../../../lib/storage/local/real-path.ts";
import { FickleDisk, missingDisk } from "../../soak/fickle-disk.ts";
import { faultOf } from "../../support/fault.ts";
import { factsOf } from "../../support/storing.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

const PLACES = new PrivatePlaces();

let folder: TempFolder;

beforeEach(() => {
  folder = new TempFolder();
});

afterEach(() => folder[Symbol.dispose]());

/**
 * Look up paths as Bun does, which opens a path and asks the system where that is, but with `between` in between, the
 * first time that `path` is looked up.
 */
function meddle(path: string, between: () => void): Disposable {
  let isDone = false;
  const { native } = fs.realpathSync;
  const lookUp = ((asked: string) => {
    if (asked !== path || isDone) return native(asked);
    isDone = true;
    const fd = fs.openSync(asked, O_PATH);
    try {
      between();
      return fs.readlinkSync(procPath(fd));
    } finally {
      fs.closeSync(fd);
    }
  }) as typeof native;
  return spyOn(fs.realpathSync, "native").mockImplementation(lookUp);
}

test("a path without links, through links, and of nothing", () => {
  mkdirSync(folder.join("a"));
  symlinkSync("a", folder.join("link"));
  expect(realPath(folder.join("a"))).toBe(folder.join("a"));
  expect(realPath(folder.join("link"))).toBe(folder.join("a"));
  expect(() => realPath(folder.join("no"))).toThrow("ENOENT");
});

describe.skipIf(process.platform !== "linux")("what is removed while it is looked up", () => {
  test("is not there", () => {
    writeFileSync(folder.join("a"), "");
    using _ = meddle(folder.join("a"), () => rmSync(folder.join("a")));
    expect(() => realPath(folder.join("a"))).toThrow("ENOENT");
  });
});

const missing = missingDisk();
if (missing !== undefined) console.log(`no disks that come and go: ${missing}`);

describe.skipIf(missing !== undefined && process.env["CI"] !== "true")("a disk that is detached meanwhile", () => {
  let disk: FickleDisk;

  beforeEach(() => {
    disk = new FickleDisk(folder.join("stick"), folder.join("medium"), 2 ** 20);
    writeFileSync(join(disk.path, "a.txt"), "on the stick");
  });

  afterEach(() => disk[Symbol.dispose]());

  test("the system tells the path of another folder, which is not believed", () => {
    using _ = meddle(disk.path, () => disk.begin("away"));
    expect(realPath(disk.path)).toBe(disk.path);
  });

  test("a folder of it is not taken for the folder of that name at the top of this machine", () => {
    const top = fs.readdirSync("/").find((name) => fs.lstatSync(`/${name}`).isDirectory()) as string;
    mkdirSync(join(disk.path, top));
    using _ = meddle(join(disk.path, top), () => disk.begin("away"));
    expect(() => realPath(join(disk.path, top))).toThrow("ENOENT");
  });

  test("a file that is fetched to it comes nowhere else, and the same again comes to it", async () => {
    const name = `${basename(folder.path)}.bin`;
    let plug = () => {};
    const fetch = async () => {
      const { storage } = await openTarget(`${disk.path}/`, PLACES);
      return storage.store(name, factsOf(new Uint8Array(1)), "overwrite", new Uint8Array(1));
    };
    {
      using _ = meddle(disk.path, () => {
        plug = disk.begin("away");
      });
      expect(await faultOf(fetch)).toMatchObject({ code: "DISK_DENIED" });
    }
    expect(fs.existsSync(`/${name}`)).toBe(false);
    plug();
    expect(await fetch()).toBe(name);
    expect(readFileSync(join(disk.path, name))).toHaveLength(1);
  });

  test("nothing else is sent in its place", async () => {
    using _ = meddle(disk.path, () => disk.begin("away"));
    const source = await new DiskSources(PLACES).find(disk.path);
    const tree = await source.open();
    expect(tree).toBeInstanceOf(LocalStorage);
    expect(tree).toHaveProperty("location", disk.path);
  });

  test("nothing else is served in its place, also when it is found through a link", async () => {
    symlinkSync("stick", folder.join("served"));
    const storage = await LocalStorage.at(folder.join("served"));
    let plug = () => {};
    using _ = meddle(folder.join("served"), () => {
      plug = disk.begin("away");
    });
    const isThere = () =>
      storage.stat("a.txt").then(
        () => true,
        () => false,
      );
    // The folder that was opened at the start stands for its path a moment longer.
    await until(async () => !(await isThere()));
    expect(storage.location).toBe(disk.path);
    plug();
    await until(isThere);
  });
});

test("no other file of lib asks the system for a real path", () => {
  const lib = join(import.meta.dir, "../../../lib");
  const asking = fs
    .readdirSync(lib, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && /realpath/.test(readFileSync(join(lib, file), "utf8")));
  expect(asking).toEqual([join("storage", "local", "real-path.ts")]);
});
