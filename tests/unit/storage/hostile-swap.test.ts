import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { CommError } from "../../../lib/errors.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { snapshot } from "../../support/hostile-names.ts";
import { walk, writeTree } from "../../support/repository.ts";
import { canSwap, Swapper } from "../../support/swapper.ts";
import { TempFolder } from "../../support/temp-folder.ts";

/** So many attempts must succeed, and so many must be refused, before a race ends well. */
const ENOUGH = 200;

let folder: TempFolder;
let repository: string;
let secrets: Record<string, string>;

beforeEach(() => {
  folder = new TempFolder();
  repository = folder.join("repository");
  writeTree(folder.path, {
    "repository/folder/file": "good",
    "repository/folder/sub/deep": "good",
    "repository/file": "good",
    "outside/file": "a much longer secret",
    "outside/sub/deep": "a much longer secret",
  });
  symlinkSync("../outside", `${repository}/out`);
  symlinkSync("../outside/file", `${repository}/file-out`);
  mkdirSync(`${repository}/tree`);
  Bun.spawnSync(["mkfifo", `${repository}/fifo`]);
  secrets = snapshot(folder.join("outside"));
});

afterEach(() => folder[Symbol.dispose]());

/**
 * While `one` and `other` are exchanged, do `attempt` until it has given "good" often enough, and was refused often
 * enough; what else it gives ends it, and is returned. `outside` stays what it was.
 */
async function whileSwapped(
  one: string,
  other: string,
  attempt: (storage: LocalStorage, turn: number) => Promise<string>,
  enough = ENOUGH,
): Promise<string> {
  await using swapper = new Swapper(repository, one, other);
  for (let turn = 0, good = 0, refused = 0; good < enough || refused < enough; turn++) {
    if (turn % 50 === 0) await swapper.check();
    // Another each time: none that has the folder still open from before.
    const storage = await LocalStorage.at(repository);
    const outcome = await attempt(storage, turn).catch((error) =>
      error instanceof CommError ? "refused" : String(error),
    );
    if (outcome === "good") good++;
    else if (outcome === "refused") refused++;
    else return outcome;
    if (turn % 20 === 0) expect(snapshot(folder.join("outside"))).toEqual(secrets);
  }
  expect(snapshot(folder.join("outside"))).toEqual(secrets);
  return "good";
}

/** A small file is read in one go, as `get` does it. */
async function load(storage: LocalStorage, path: string): Promise<string> {
  const loaded = storage.load(path, 1_000);
  // Not undefined for ever: what is no plain file is told by open().
  return loaded === undefined ? "refused" : Buffer.from(loaded.bytes).toString();
}

describe.skipIf(!canSwap)("while names are exchanged all the time", () => {
  test.each([
    ["its folder with a link out", "folder", "out", "folder/file"],
    ["a folder further up with a link out", "folder", "out", "folder/sub/deep"],
    ["the file with a link out", "file", "file-out", "file"],
    ["the file with a FIFO", "file", "fifo", "file"],
    ["the file with a folder", "file", "tree", "file"],
  ])("a small file is read whole or refused: %s", async (_, one, other, path) => {
    expect(await whileSwapped(one, other, (storage) => load(storage, path))).toBe("good");
  });

  test("the facts of a file outside are not told", async () => {
    const size = async (storage: LocalStorage) => {
      const { size, kind } = await storage.stat("folder/file");
      return kind === "file" && size === 4 ? "good" : `${kind} of ${size} bytes`;
    };
    expect(await whileSwapped("folder", "out", size)).toBe("good");
  });

  test("the facts of a file outside are not told of a link to a file inside, when that one's folder is exchanged", async () => {
    symlinkSync("folder/file", `${repository}/link`);
    const told = async (storage: LocalStorage) => {
      const { entries } = await walk(storage, "", () => false);
      const link = entries.find(({ path }) => path === "link");
      if (link?.kind === "link") throw new CommError("NOT_ALLOWED", "It is told as a link.");
      return link?.kind === "file" && link.size === 4 ? "good" : `${link?.kind} of ${link?.size} bytes`;
    };
    expect(await whileSwapped("folder", "out", told, 5 * ENOUGH)).toBe("good");
  });

  test("a file is not placed by what lies outside", async () => {
    const place = async (storage: LocalStorage) => {
      const { outcome } = await storage.place("folder/file", { size: 20, modifiedAt: 0 }, "skip");
      return outcome === "skipped" ? "good" : outcome;
    };
    expect(await whileSwapped("folder", "out", place)).toBe("good");
  });

  test("nothing is renamed out of there, or to there", async () => {
    const move = async (storage: LocalStorage, turn: number) => {
      const here = `${repository}/new-${turn}`;
      writeFileSync(here, "mine");
      await storage.rename(`new-${turn}`, `folder/moved-${turn % 10}`, { overwrite: true });
      return "good";
    };
    expect(await whileSwapped("folder", "out", move)).toBe("good");
    const steal = async (storage: LocalStorage) => {
      if (existsSync(`${repository}/stolen`)) await storage.rename("stolen", "folder/file", { overwrite: true });
      await storage.rename("folder/file", "stolen", { overwrite: true });
      return readFileSync(`${repository}/stolen`, "utf8");
    };
    expect(await whileSwapped("folder", "out", steal)).toBe("good");
    expect(readdirSync(folder.join("outside")).sort()).toEqual(["file", "sub"]);
  });

  test("a tree is removed without what a link out in it leads to", async () => {
    const remove = async (storage: LocalStorage, turn: number) => {
      const name = `doomed-${turn}`;
      writeTree(repository, { [`${name}/a/file`]: "x", [`${name}/b/file`]: "x" });
      symlinkSync("../../outside", `${repository}/${name}/link`);
      const removing = storage.remove(name, { recursive: true });
      await removing;
      return readdirSync(repository).includes(name) ? "left" : "good";
    };
    const storage = await LocalStorage.at(repository);
    for (let turn = 0; turn < 20; turn++) expect(await remove(storage, turn)).toBe("good");
    expect(snapshot(folder.join("outside"))).toEqual(secrets);
  });

  test("removing a tree in which a folder becomes a link out removes nothing outside", async () => {
    for (let turn = 0; turn < 30; turn++) {
      const name = `doomed-${turn}`;
      const inner = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`${name}/inner/${at}`, "x"]));
      writeTree(repository, inner);
      symlinkSync("../../outside", `${repository}/${name}/link`);
      // Ends by itself when one of the two is gone.
      await using _ = new Swapper(`${repository}/${name}`, "inner", "link");
      const storage = await LocalStorage.at(repository);
      for (let tries = 0; tries < 50; tries++) {
        const done = await storage.remove(name, { recursive: true }).then(
          () => true,
          () => false,
        );
        if (done) break;
      }
      expect(snapshot(folder.join("outside"))).toEqual(secrets);
    }
  });
});
