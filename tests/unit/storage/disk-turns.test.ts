/** Long work on folders, however much there is of it, lets everybody else have their turn. */
import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { existsSync } from "node:fs";
import { lstat } from "node:fs/promises";
import { diskClock } from "../../../lib/storage/local/disk-clock.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { walk, writeTree } from "../../support/repository.ts";
import { TempFolder } from "../../support/temp-folder.ts";

/** While so many questions to the disk are answered, all that is done to a small tree would be over. */
const QUESTIONS = 100;

let folder: TempFolder;
let storage: LocalStorage;
let mocks: { mockRestore(): void }[];
/** Ends the turn that others have. */
let end: () => void;

beforeEach(async () => {
  folder = new TempFolder();
  writeTree(folder.path, { a: "x", "b.commserver-part": "x", "tree/c": "x", "tree/sub/d": "x" });
  storage = await LocalStorage.at(folder.path);
  const turn = Promise.withResolvers<void>();
  end = turn.resolve;
  // By this clock each turn is over at once, and then it is that of others until the test ends it.
  let now = 0;
  mocks = [
    spyOn(diskClock, "now").mockImplementation(() => (now += 1_000)),
    spyOn(diskClock, "turn").mockReturnValue(turn.promise),
  ];
});

afterEach(() => {
  for (const mock of mocks) mock.mockRestore();
  folder[Symbol.dispose]();
});

const WORKS: Readonly<Record<string, () => Promise<unknown>>> = {
  "a list": () => walk(storage),
  "a search for unfinished files": () => Array.fromAsync(storage.unfinished()),
  "a watch that begins": async () => (await storage.watch(() => {}))(),
};

describe("others have their turn before it goes on:", () => {
  test.each(Object.entries(WORKS))("%s", async (_, work) => {
    let isOver = false;
    const working = work().then(() => {
      isOver = true;
    });
    await askLong();
    expect(isOver).toBe(false);
    end();
    await working;
  });

  test("a removal", async () => {
    const working = storage.remove("tree", { recursive: true });
    await askLong();
    expect(existsSync(folder.join("tree"))).toBe(true);
    end();
    await working;
    expect(existsSync(folder.join("tree"))).toBe(false);
  });
});

async function askLong(): Promise<void> {
  for (let asked = 0; asked < QUESTIONS; asked++) await lstat(folder.path);
}
