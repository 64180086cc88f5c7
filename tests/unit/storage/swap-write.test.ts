import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, renameSync, symlinkSync, unlinkSync } from "node:fs";
import { BLOCK_BYTES } from "../../../lib/block.ts";
import { CommError } from "../../../lib/errors.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { codeOf } from "../../support/fault.ts";
import { writeTree } from "../../support/repository.ts";
import { factsOf, store, writeMissing } from "../../support/storing.ts";
import { canSwap, Swapper } from "../../support/swapper.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { noise } from "../../support/transport-recorder.ts";

/** So many attempts must succeed, and so many must be refused, before a race ends well. */
const ENOUGH = 200;
const LARGE = noise(BLOCK_BYTES + 1);

let folder: TempFolder;
let storage: LocalStorage;

const outside = () => readdirSync(folder.join("outside")).sort();

beforeEach(async () => {
  folder = new TempFolder();
  writeTree(folder.path, { "repository/folder/file": "inside", "outside/file": "precious" });
  symlinkSync("../outside", folder.join("repository/out"));
  storage = await LocalStorage.at(folder.join("repository"));
});

afterEach(() => folder[Symbol.dispose]());

describe("nothing is written outside", () => {
  test("through a link that leads out, by any way of changing", async () => {
    for (const [what, work] of Object.entries({
      place: () => storage.place("out/new", factsOf(LARGE), "fail"),
      receive: () => storage.receive("out/new", factsOf(LARGE), "overwrite"),
      store: () => store(storage, "out/file", noise(3), { exists: "overwrite" }),
      "store deeper": () => store(storage, "out/sub/file", noise(3)),
      makeFolder: () => storage.makeFolder("out/sub"),
      remove: () => storage.remove("out/file", { recursive: true }),
      "rename to": () => storage.rename("folder/file", "out/moved", { overwrite: true }),
      "rename from": () => storage.rename("out/file", "stolen", { overwrite: true }),
    })) {
      expect(`${what}: ${await codeOf(work)}`).toBe(`${what}: NOT_ALLOWED`);
    }
    expect(outside()).toEqual(["file"]);
    expect(readFileSync(folder.join("outside/file"), "utf8")).toBe("precious");
  });

  test("when the link itself is removed: what it leads to stays", async () => {
    await storage.remove("out", { recursive: true });
    expect(readdirSync(folder.join("repository"))).toEqual(["folder"]);
    expect(outside()).toEqual(["file"]);
  });

  test("when a tree with links in it is removed: what they lead to stays", async () => {
    symlinkSync("../../outside", folder.join("repository/folder/out"));
    await storage.remove("folder", { recursive: true });
    expect(outside()).toEqual(["file"]);
    expect(readFileSync(folder.join("outside/file"), "utf8")).toBe("precious");
  });

  test("when the folder becomes a link out between two blocks: the file is stored nowhere, and its part stays where it began", async () => {
    const part = await storage.receive("folder/new", factsOf(LARGE), "fail");
    renameSync(folder.join("repository/folder"), folder.join("repository/moved"));
    symlinkSync("../outside", folder.join("repository/folder"));
    await writeMissing(part, LARGE);
    expect(await codeOf(() => part.commit())).toBe("NOT_FOUND");
    expect(outside()).toEqual(["file"]);
    const names = readdirSync(folder.join("repository/moved"));
    expect(names).toContain("new.commserver-part");
    expect(names).not.toContain("new");
  });

  test("when a folder that was used a moment ago has become a link out", async () => {
    await store(storage, "folder/a", noise(3));
    renameSync(folder.join("repository/folder"), folder.join("repository/moved"));
    symlinkSync("../outside", folder.join("repository/folder"));
    await store(storage, "folder/b", noise(3)).catch(() => {});
    await storage.remove("folder/file", { recursive: false }).catch(() => {});
    expect(outside()).toEqual(["file"]);
    unlinkSync(folder.join("repository/folder"));
  });
});

/** While a folder is exchanged with a link out, do `attempt` until it has succeeded and been refused often enough. */
async function whileSwapped(attempt: (turn: number) => Promise<unknown>): Promise<void> {
  await using swapper = new Swapper(folder.join("repository"), "folder", "out");
  for (let turn = 0, good = 0, refused = 0; good < ENOUGH || refused < ENOUGH; turn++) {
    if (turn % 100 === 0) await swapper.check();
    // Another storage each time: none that still has the folder open from before.
    storage = await LocalStorage.at(folder.join("repository"));
    const outcome = await attempt(turn).then(
      () => "good",
      (error) => (error instanceof CommError ? "refused" : String(error)),
    );
    if (outcome === "good") good++;
    else if (outcome === "refused") refused++;
    else throw new Error(outcome);
    if (outside().join() !== "file") throw new Error(`outside: ${outside()}`);
  }
  expect(readFileSync(folder.join("outside/file"), "utf8")).toBe("precious");
}

describe.skipIf(!canSwap)("nothing is written outside while a folder is exchanged with a link out all the time", () => {
  test("by small files", async () => {
    await whileSwapped((turn) => store(storage, `folder/new-${turn % 10}`, noise(3), { exists: "overwrite" }));
  });

  test("by large files", async () => {
    await whileSwapped(async () => {
      const part = await storage.receive("folder/large", factsOf(LARGE), "overwrite");
      await part.discard();
    });
  });

  test("by new folders", async () => {
    await whileSwapped((turn) => storage.makeFolder(`folder/sub-${turn % 50}`));
  });

  test("by removals: what lies there stays", async () => {
    await whileSwapped(async () => {
      await store(storage, "folder/file", noise(3), { exists: "overwrite" });
      await storage.remove("folder/file", { recursive: true });
    });
  });
});
