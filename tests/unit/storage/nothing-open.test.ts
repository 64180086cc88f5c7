import { describe, expect, test } from "bun:test";
import { existsSync, symlinkSync } from "node:fs";
import { BLOCK_BYTES } from "../../../lib/block.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { codeOf } from "../../support/fault.ts";
import { openBelow } from "../../support/open-files.ts";
import { walk, writeTree } from "../../support/repository.ts";
import { factsOf, store, writeMissing } from "../../support/storing.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { noise } from "../../support/transport-recorder.ts";
import { until } from "../../support/until.ts";

const LARGE = noise(2 * BLOCK_BYTES + 7);
const SMALL = noise(3);
const ALL = { enter: () => true, skipped: { count: 0 } };

type Work = (storage: LocalStorage) => Promise<unknown>;

/** What is asked of a tree with a file `a`, a large one `large`, a folder `full` with a file, a link that leads out. */
const WORKS: readonly (readonly [string, Work])[] = [
  ["stat", async (tree) => await Promise.all(["", "a", "full", "full/b"].map((path) => tree.stat(path)))],
  ["stat of nothing", (tree) => codeOf(() => tree.stat("none/at/all"))],
  ["stat of a link that leads out", (tree) => codeOf(() => tree.stat("out"))],
  ["list", (tree) => walk(tree)],
  ["list of nothing", (tree) => codeOf(() => walk(tree, "none"))],
  [
    "a list that is left",
    async (tree) => {
      for await (const _ of tree.list("", ALL)) break;
    },
  ],
  ["open", async (tree) => (await tree.open("large")).close()],
  ["open of a folder", (tree) => codeOf(() => tree.open("full"))],
  ["open of a link that leads out", (tree) => codeOf(() => tree.open("out"))],
  ["load", async (tree) => tree.load("a", 100)],
  ["load of what is too large, or no file", async (tree) => [tree.load("large", 100), tree.load("full", 100)]],
  [
    "place",
    async (tree) => {
      for (const exists of ["skip", "overwrite", "rename"] as const) await tree.place("a", factsOf(LARGE), exists);
      await codeOf(() => tree.place("full", factsOf(SMALL), "fail"));
      await codeOf(() => tree.place("a/below", factsOf(SMALL), "fail"));
    },
  ],
  ["store", (tree) => store(tree, "new/x", SMALL)],
  ["store over what is there", (tree) => codeOf(() => store(tree, "a", SMALL))],
  ["store below a file", (tree) => codeOf(() => store(tree, "a/below", SMALL))],
  ["store in place of a folder", (tree) => codeOf(() => store(tree, "full", SMALL, { exists: "overwrite" }))],
  ["a large file", (tree) => store(tree, "new/large", LARGE)],
  ["a large file over what is there", (tree) => codeOf(() => store(tree, "a", LARGE))],
  ["a large file below a file", (tree) => codeOf(() => store(tree, "a/below", LARGE))],
  [
    "a large file, twice at once, which is left",
    async (tree) => {
      const part = await tree.receive("new/left", factsOf(LARGE), "fail");
      await codeOf(() => tree.receive("new/left", factsOf(LARGE), "fail"));
      await part.discard();
    },
  ],
  [
    "a large file that is kept, resumed and kept, begun again for another source, looked for and removed",
    async (tree) => {
      await (await tree.receive("kept", factsOf(LARGE), "fail")).keep();
      const part = await tree.receive("kept", factsOf(LARGE), "fail");
      await writeMissing(part, LARGE);
      await part.keep();
      await (await tree.receive("kept", factsOf(LARGE, { etag: "another" }), "fail")).keep();
      await tree.place("kept", factsOf(LARGE), "fail");
      for await (const { path } of tree.unfinished()) expect(await tree.removeUnfinished(path)).toBe(true);
      expect(await tree.removeUnfinished("none.commserver-part")).toBe(true);
    },
  ],
  [
    "folders",
    async (tree) => {
      await tree.makeFolder("new/folder", 0o755);
      await tree.finishFolder("new/folder", 0o555);
      await tree.makeFolder("full");
      await codeOf(() => tree.makeFolder("a/below"));
    },
  ],
  [
    "remove",
    async (tree) => {
      await store(tree, "gone/deep/x", SMALL);
      await codeOf(() => tree.remove("gone", { recursive: false }));
      await tree.remove("gone", { recursive: true });
      await codeOf(() => tree.remove("gone", { recursive: true }));
      await codeOf(() => tree.remove("none/at/all", { recursive: false }));
    },
  ],
  [
    "rename",
    async (tree) => {
      await tree.rename("a", "moved/a", { overwrite: false });
      await tree.rename("moved/a", "a", { overwrite: true });
      await codeOf(() => tree.rename("a", "full", { overwrite: true }));
      await codeOf(() => tree.rename("full", "full/below", { overwrite: false }));
      await codeOf(() => tree.rename("none", "other", { overwrite: false }));
    },
  ],
  ["whose name it is", (tree) => Promise.all(["a", "A", "full/b", "none"].map((path) => tree.hasOwnName(path)))],
  [
    "watch",
    async (tree) => {
      let count = 0;
      const end = await tree.watch((changes) => (count += changes.length));
      await store(tree, "seen", SMALL);
      await until(() => count > 0);
      end();
    },
  ],
];

describe.skipIf(process.platform !== "linux")("nothing of a tree stays open, so that its disk can be unmounted", () => {
  test("whatever was asked of it, and whether that worked", async () => {
    // One of its own for each, and one wait for all: a folder may stay open for half a second.
    using site = new TempFolder();
    for (const [name, work] of WORKS) {
      const root = site.join(name);
      writeTree(root, { a: "a", "full/b": "b", large: LARGE });
      symlinkSync("/etc/passwd", site.join(name, "out"));
      await work(await LocalStorage.at(root));
    }
    await until(() => openBelow(site.path) === 0);
  });

  test("a file that is made as it is read, which is refused", async () => {
    if (!existsSync("/proc/sys/kernel/ostype")) return;
    const storage = await LocalStorage.at("/proc/sys/kernel");
    for (let turn = 0; turn < 2; turn++) {
      expect(await codeOf(() => storage.open("ostype"))).toBe("NOT_A_FILE");
      expect(await codeOf(async () => storage.load("ostype", 100))).toBe("NOT_A_FILE");
    }
    await until(() => openBelow("/proc/sys/kernel") === 0);
  });
});
