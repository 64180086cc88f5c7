import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { CommError } from "../../../lib/errors.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { readWhole, walk, writeTree } from "../../support/repository.ts";
import { canSwap, Swapper } from "../../support/swapper.ts";
import { TempFolder } from "../../support/temp-folder.ts";

/** So many attempts must succeed, and so many must be refused, before a test ends well. */
const ENOUGH = 300;

/** Gone for a moment, or another file than the one that was looked at: these are refusals, too. */
const REFUSALS = ["NOT_ALLOWED", "NOT_FOUND", "NOT_A_FILE", "CHANGED"];

let folder: TempFolder;
let storage: LocalStorage;

beforeEach(async () => {
  folder = new TempFolder();
  const repository = folder.join("repository");
  writeTree(folder.path, {
    "repository/good": "good",
    "repository/folder/file": "good",
    "repository/file": "good",
    "outside/file": "SECRET",
    "outside/secret-name": "",
  });
  symlinkSync("good", join(repository, "link"));
  symlinkSync("../outside/file", join(repository, "link-out"));
  symlinkSync("folder", join(repository, "folder-link"));
  symlinkSync("../outside", join(repository, "folder-out"));
  Bun.spawnSync(["mkfifo", join(repository, "fifo")]);
  storage = await LocalStorage.at(repository);
});

afterEach(() => folder[Symbol.dispose]());

/**
 * While `one` and `other` are exchanged, do `attempt` until it has given "good" often enough, and something else
 * often enough. Returns what it gave that is neither "good" nor a refusal, at the first of which it ends.
 */
async function leaksWhile(one: string, other: string, attempt: () => Promise<string>): Promise<string[]> {
  await using swapper = new Swapper(folder.join("repository"), one, other);
  const leaks = new Set<string>();
  for (let good = 0, refused = 0; leaks.size === 0 && (good < ENOUGH || refused < ENOUGH); ) {
    await swapper.check();
    const outcome = await attempt().catch((error) => (error instanceof CommError ? error.code : String(error)));
    if (outcome === "good") good++;
    else if (REFUSALS.includes(outcome)) refused++;
    else leaks.add(outcome);
  }
  return [...leaks];
}

describe.skipIf(!canSwap)("what is exchanged all the time", () => {
  const read = (path: string) => async () => (await readWhole(storage, path)).toString();

  test.each([
    ["a link with one out of the repository", "link", "link-out", "link"],
    ["a link to a folder with one out of the repository", "folder-link", "folder-out", "folder-link/file"],
    ["a file with a FIFO", "file", "fifo", "file"],
  ] as const)("is read whole or refused: %s", async (_, one, other, path) => {
    expect(await leaksWhile(one, other, read(path))).toEqual([]);
  });

  test("is read whole or refused: a folder with a link out of the repository", async () => {
    expect(await leaksWhile("folder", "folder-out", read("folder/file"))).toEqual([]);
  });

  test("is listed without names from outside: a folder with a link out of the repository", async () => {
    const list = async () => {
      const { paths } = await walk(storage, "folder");
      return ["", "folder/file"].includes(paths.join()) ? "good" : paths.join();
    };
    expect(await leaksWhile("folder", "folder-out", list)).toEqual([]);
  });
});
