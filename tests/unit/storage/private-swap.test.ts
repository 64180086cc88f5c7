import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { renameSync, symlinkSync } from "node:fs";
import { CommError } from "../../../lib/errors.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { PrivatePlaces } from "../../../lib/storage/local/private/private-places.ts";
import { contentOf, makeState } from "../../support/private-site.ts";
import { readWhole, walk, writeTree } from "../../support/repository.ts";
import { store } from "../../support/storing.ts";
import { canSwap, Swapper } from "../../support/swapper.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { noise } from "../../support/transport-recorder.ts";

/** So many attempts must end the one way, and so many the other, before a race ends well. */
const ENOUGH = 150;

let folder: TempFolder;
let repository: string;

/** "one" and "other" are exchanged all the time: each has a folder "x", and that in "other" is the state folder. */
beforeEach(() => {
  folder = new TempFolder();
  repository = folder.join("repository");
  writeTree(repository, {
    "one/x/tokens.json": "good",
    "one/x/servers/lab.json": "good",
    "one/x/kept/by/the/user.txt": "good",
    "docs/a.txt": "public",
  });
  makeState(`${repository}/other/x`);
  symlinkSync("one/x/tokens.json", `${repository}/link`);
});

afterEach(() => folder[Symbol.dispose]());

/** What is in the state folder, wherever it lies. */
function stateNow(): string[] {
  return Object.values({ ...contentOf(`${repository}/one/x`), ...contentOf(`${repository}/other/x`) })
    .filter((content) => content !== "good")
    .sort();
}

/** @returns what an attempt gave that is neither "good" nor a refusal; "good" when there was no such thing */
async function whileSwapped(
  attempt: (storage: LocalStorage, turn: number) => Promise<string>,
  places = new PrivatePlaces(() => ({ folders: [`${repository}/other/x`], files: [] })),
): Promise<string> {
  await using swapper = new Swapper(repository, "one", "other");
  for (let turn = 0, good = 0, refused = 0; good < ENOUGH || refused < ENOUGH; turn++) {
    if (turn % 50 === 0) await swapper.check();
    // Another each time: none that has the folder still open from before.
    const storage = await LocalStorage.at(repository, { places });
    const outcome = await attempt(storage, turn).catch((error) =>
      error instanceof CommError ? "refused" : String(error),
    );
    if (outcome === "good") good++;
    else if (outcome === "refused") refused++;
    else return outcome;
  }
  return "good";
}

describe.skipIf(!canSwap)("while a folder is exchanged all the time with one that holds the state folder", () => {
  const none = () => new PrivatePlaces();

  test.each([
    ["a file in it", "one/x/tokens.json"],
    ["a file further down", "one/x/servers/lab.json"],
    ["a file that the user keeps there", "one/x/kept/by/the/user.txt"],
    ["a file behind a link", "link"],
  ])("%s is read as the public one, or refused", async (_, path) => {
    const read = async (storage: LocalStorage) => (await readWhole(storage, path)).toString();
    expect(await whileSwapped(read)).toBe("good");
    expect(await whileSwapped(read, none())).toBe("good");
  });

  test("small files are loaded as the public ones, or refused", async () => {
    const load = async (storage: LocalStorage) =>
      Buffer.from(storage.load("one/x/tokens.json", 100)?.bytes ?? Buffer.from("good")).toString();
    expect(await whileSwapped(load)).toBe("good");
  });

  test("no size of a file in it is revealed", async () => {
    const tell = async (storage: LocalStorage) => {
      const { size } = await storage.stat("one/x/servers/lab.json");
      return size === 4 ? "good" : `${size} bytes`;
    };
    expect(await whileSwapped(tell)).toBe("good");
  });

  test("no name in it is listed", async () => {
    const list = async (storage: LocalStorage) => {
      const { paths } = await walk(storage, "one");
      const names = paths.filter((path) => /identity|ledger|history|local/.test(path));
      return names.length > 0 ? names.join() : paths.includes("one/x/tokens.json") ? "good" : "refused";
    };
    expect(await whileSwapped(list)).toBe("good");
  });

  test("nothing is put into it, taken out of it, or removed from it", async () => {
    const before = stateNow();
    const change = async (storage: LocalStorage, turn: number) => {
      const works = [
        () => store(storage, `one/x/new-${turn}`, Buffer.from("good")),
        () => store(storage, "one/x/tokens.json", Buffer.from("good"), { exists: "overwrite" }),
        () => storage.makeFolder(`one/x/new/${turn}`),
        () => storage.rename("one/x/tokens.json", "one/x/moved", { overwrite: true }),
        () => storage.rename("docs/a.txt", "one/x/tokens.json", { overwrite: true }),
        () => storage.remove("one/x/tokens.json", { recursive: false }),
        () => storage.remove("one/x", { recursive: true }),
        () => storage.rename("one/x", `taken-${turn}`, { overwrite: false }),
      ];
      await (works[turn % works.length] as () => Promise<unknown>)();
      return "good";
    };
    await whileSwapped(async (storage, turn) => {
      const outcome = await change(storage, turn).catch(() => "refused");
      // There shall be something for the next.
      await store(storage, "one/x/tokens.json", Buffer.from("good"), { exists: "overwrite" }).catch(() => {});
      return turn % 2 === 0 ? "good" : outcome;
    });
    expect(stateNow().filter((content) => content !== "public")).toEqual(before);
  });
});

test("a folder with the state folder in it, which was moved a moment ago, is not taken for what was there before", async () => {
  const storage = await LocalStorage.at(repository);
  await walk(storage);
  renameSync(`${repository}/one`, `${repository}/two`);
  renameSync(`${repository}/other`, `${repository}/one`);
  // For a moment what was there before is still the folder of that path.
  expect(await storage.open("one/x/identity.pem").catch(({ code }) => code)).toMatch(/NOT_ALLOWED|NOT_FOUND/);
  await store(storage, "one/x/identity.pem.x", noise(3)).catch(() => {});
  expect(contentOf(`${repository}/one/x`)).not.toHaveProperty(`${repository}/one/x/identity.pem.x`);
});
