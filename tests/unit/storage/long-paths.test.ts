import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { closeSync, mkdirSync, openSync, readdirSync, writeFileSync } from "node:fs";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { procPath } from "../../../lib/storage/local/proc-path.ts";
import { codeOf } from "../../support/fault.ts";
import { walk } from "../../support/repository.ts";
import { factsOf } from "../../support/storing.ts";
import { TempFolder } from "../../support/temp-folder.ts";

/** Of the system, with the NUL behind it. */
const PATH_MAX = 4096;
const SMALL = new Uint8Array(3);
const LARGE = new Uint8Array(2 * 1_048_576);

let folder: TempFolder;
let storage: LocalStorage;
/** The folder of the repository, about a thousand bytes short of what the system takes. */
let root: string;

beforeAll(async () => {
  folder = new TempFolder();
  root = `${folder.path}${`/${"r".repeat(240)}`.repeat(12)}`;
  mkdirSync(root, { recursive: true });
  storage = await LocalStorage.at(root);
});

afterAll(() => folder[Symbol.dispose]());

/** A path so long that its place in the system has that many bytes. */
function pathOf(bytes: number): string {
  let left = bytes - root.length - 1;
  const names: string[] = [];
  for (; left > 200; left -= 201) names.push("n".repeat(200));
  return [...names, "n".repeat(left)].join("/");
}

describe.skipIf(process.platform !== "linux")("a path that the system does not take, its own folder counted", () => {
  const METHODS: Record<string, (path: string) => unknown> = {
    stat: (path) => storage.stat(path),
    open: (path) => storage.open(path),
    load: (path) => storage.load(path, 10),
    list: (path) =>
      storage
        .list(path, { enter: () => true, skipped: { count: 0 } })
        [Symbol.asyncIterator]()
        .next(),
    place: (path) => storage.place(path, factsOf(SMALL), "fail"),
    store: (path) => storage.store(path, factsOf(SMALL), "fail", SMALL),
    receive: (path) => storage.receive(path, factsOf(LARGE), "fail"),
    makeFolder: (path) => storage.makeFolder(path),
    remove: (path) => storage.remove(path, { recursive: true }),
    "rename from": (path) => storage.rename(path, "moved", { overwrite: true }),
    "rename to": async (path) => {
      writeFileSync(`${root}/there`, "x");
      await storage.rename("there", path, { overwrite: true });
    },
  };

  test.each(Object.entries(METHODS))(
    "is BAD_PATH for %s, from the first byte too many on, and nothing is made",
    async (_, call) => {
      for (const bytes of [PATH_MAX, PATH_MAX + 1, PATH_MAX + 150, PATH_MAX + 900]) {
        expect(`${bytes} ${await codeOf(() => call(pathOf(bytes)))}`).toBe(`${bytes} BAD_PATH`);
      }
      expect(readdirSync(root).filter((name) => name !== "there")).toEqual([]);
    },
  );

  test("is taken up to the last byte, by all", async () => {
    const path = pathOf(PATH_MAX - 1);
    expect(path.length).toBeLessThan(4_096);
    expect(await storage.store(path, factsOf(SMALL), "fail", SMALL)).toBe(path);
    expect(await storage.stat(path)).toMatchObject({ kind: "file", size: 3 });
    expect(storage.load(path, 10)?.bytes).toHaveLength(3);
    expect((await walk(storage)).paths).toContain(path);
    await storage.remove(path.slice(0, path.indexOf("/")), { recursive: true });
  });

  test("is left out of a list, and counted: it can't be asked for", async () => {
    // By a folder that is held open the system takes a name in it.
    const parent = pathOf(PATH_MAX - 100);
    await storage.makeFolder(parent);
    const fd = openSync(`${root}/${parent}`, 0);
    writeFileSync(`${procPath(fd)}/${"x".repeat(150)}`, "hidden");
    writeFileSync(`${procPath(fd)}/short`, "told");
    closeSync(fd);
    const { paths, skipped } = await walk(storage, parent);
    expect([paths, skipped]).toEqual([[`${parent}/short`], 1]);
    await storage.remove(parent.slice(0, parent.indexOf("/")), { recursive: true });
  });
});
