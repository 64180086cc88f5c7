import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, symlinkSync } from "node:fs";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { codeOf } from "../../support/fault.ts";
import { readWhole, walk, writeTree } from "../../support/repository.ts";
import { TempFolder } from "../../support/temp-folder.ts";

let folder: TempFolder;
let storage: LocalStorage;

/** Name in the repository, and where the link points. */
const LINKS = {
  "to-file": "docs/in.txt",
  "to-file-by-two": "to-file",
  "to-folder": "docs",
  "to-itself": ".",
  "out-and-in-again": "../repository/docs/in.txt",
  "out-file": "../outside/secret.txt",
  "out-folder": "../outside",
  "out-sibling": "../repository-2",
  "out-root": "/",
  "out-device": "/dev/null",
  up: "..",
  "via-folder": "out-folder/secret.txt",
  dangling: "docs/missing",
  "dangling-out": "../missing",
  loop: "loop",
  ping: "pong",
  pong: "ping",
};

beforeAll(async () => {
  folder = new TempFolder();
  writeTree(folder.path, {
    "repository/docs/in.txt": "inside",
    "repository-2/neighbour.txt": "neighbour",
    "outside/secret.txt": "secret",
  });
  for (const [name, target] of Object.entries(LINKS)) symlinkSync(target, folder.join("repository", name));
  symlinkSync(folder.join("repository/docs/in.txt"), folder.join("repository/to-file-absolute"));
  storage = await LocalStorage.at(folder.join("repository"));
});

afterAll(() => folder[Symbol.dispose]());

describe("links of LocalStorage", () => {
  test.each([
    "to-file",
    "to-file-by-two",
    "to-file-absolute",
    "to-folder/in.txt",
    "to-itself/docs/in.txt",
    "out-and-in-again",
  ])("%s stays inside and is followed", async (path) => {
    expect(await storage.stat(path)).toMatchObject({ path, kind: "file", size: 6 });
    expect((await readWhole(storage, path)).toString()).toBe("inside");
  });

  test.each(["to-folder", "to-itself"])("%s is a folder to stat() and list(), and no file", async (path) => {
    expect(await storage.stat(path)).toMatchObject({ path, kind: "folder" });
    expect(await codeOf(() => storage.open(path))).toBe("NOT_A_FILE");
    const { paths } = await walk(storage, path, () => false);
    expect(paths).toContain(path === "to-folder" ? "to-folder/in.txt" : "to-itself/docs");
  });

  test.each([
    "out-file",
    "out-folder/secret.txt",
    "out-sibling/neighbour.txt",
    "via-folder",
    "up/outside/secret.txt",
    "out-root/etc/passwd",
  ])("%s leads out to a file, which is refused", async (path) => {
    expect(await codeOf(() => storage.stat(path))).toBe("NOT_ALLOWED");
    expect(await codeOf(() => storage.open(path))).toBe("NOT_ALLOWED");
    expect(await codeOf(() => walk(storage, path))).toBe("NOT_ALLOWED");
  });

  const OUT = ["out-folder", "out-sibling", "out-root", "out-root/etc", "out-device", "up", "dangling-out"];

  test.each(OUT)("%s leads out, which stat() and list() refuse", async (path) => {
    expect(await codeOf(() => storage.stat(path))).toBe("NOT_ALLOWED");
    expect(await codeOf(() => walk(storage, path))).toBe("NOT_ALLOWED");
  });

  test.each(OUT)("%s leads out, which open() refuses without telling what is there", async (path) => {
    expect(await codeOf(() => storage.open(path))).toBe("NOT_ALLOWED");
  });

  test.each(["out-folder/missing", "out-root/missing/deeper", "up/missing"])(
    "%s does not tell that there is no such thing outside",
    async (path) => {
      expect(await codeOf(() => storage.stat(path))).toBe("NOT_ALLOWED");
      expect(await codeOf(() => storage.open(path))).toBe("NOT_ALLOWED");
    },
  );

  test.each(["dangling", "to-folder/missing"])("%s is NOT_FOUND", async (path) => {
    expect(await codeOf(() => storage.stat(path))).toBe("NOT_FOUND");
    expect(await codeOf(() => storage.open(path))).toBe("NOT_FOUND");
  });

  test.each(["loop", "ping", "pong", "loop/below"])("%s leads to itself, which is UNREADABLE", async (path) => {
    expect(await codeOf(() => storage.stat(path))).toBe("UNREADABLE");
    expect(await codeOf(() => storage.open(path))).toBe("UNREADABLE");
  });

  test("are listed as the file inside, else as links, and none is entered", async () => {
    const { entries, skipped } = await walk(storage);
    const kinds = Object.fromEntries(entries.map(({ path, kind, size }) => [path, `${kind} ${size}`]));
    const expected: Record<string, string> = { docs: "folder 0", "docs/in.txt": "file 6" };
    for (const name of Object.keys(LINKS)) expected[name] = "link 0";
    for (const name of ["to-file", "to-file-by-two", "to-file-absolute", "out-and-in-again"]) expected[name] = "file 6";
    expect(kinds).toEqual(expected);
    expect(skipped).toBe(0);
  });

  test("the repository itself may be a link", async () => {
    const linked = folder.join("linked");
    symlinkSync("repository", linked);
    const there = await LocalStorage.at(linked);
    expect(there.location).toBe(folder.join("repository"));
    expect((await readWhole(there, "docs/in.txt")).toString()).toBe("inside");
  });

  test("a repository at the root of the file system serves what its links lead to", async () => {
    const everything = await LocalStorage.at("/");
    const path = folder.join("repository/out-file").slice(1);
    expect((await readWhole(everything, path)).toString()).toBe("secret");
  });
});

describe("LocalStorage.at()", () => {
  test("says NO_REPOSITORY for a missing folder, a file, and a link that dangles", async () => {
    using temp = new TempFolder();
    writeTree(temp.path, { file: "x" });
    symlinkSync("missing", temp.join("dangling"));
    for (const name of ["missing", "file", "file/below", "dangling"]) {
      expect(await codeOf(() => LocalStorage.at(temp.join(name)))).toBe("NO_REPOSITORY");
    }
  });

  test("takes a folder without files", async () => {
    using temp = new TempFolder();
    mkdirSync(temp.join("empty"));
    expect((await walk(await LocalStorage.at(temp.join("empty")))).entries).toEqual([]);
  });
});
