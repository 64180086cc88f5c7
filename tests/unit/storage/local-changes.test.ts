import { describe, expect, test } from "bun:test";
import {
  appendFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { codeOf } from "../../support/fault.ts";
import { walk, writeTree } from "../../support/repository.ts";
import { TempFolder } from "../../support/temp-folder.ts";

describe("files that change meanwhile", () => {
  test("a file that was deleted after open() is still read to its end", async () => {
    using folder = new TempFolder();
    writeTree(folder.path, { a: "content" });
    const file = await (await LocalStorage.at(folder.path)).open("a");
    unlinkSync(folder.join("a"));
    const buffer = new Uint8Array(16);
    expect(await file.read(buffer, 0)).toBe(7);
    await file.check();
    await file.close();
  });

  test("a file that was replaced after open() is still the one that was opened", async () => {
    using folder = new TempFolder();
    writeTree(folder.path, { a: "the old", b: "the new one" });
    const storage = await LocalStorage.at(folder.path);
    const file = await storage.open("a");
    renameSync(folder.join("b"), folder.join("a"));
    const buffer = new Uint8Array(7);
    await file.read(buffer, 0);
    expect(Buffer.from(buffer).toString()).toBe("the old");
    await file.check();
    expect((await storage.stat("a")).etag).not.toBe(file.entry.etag);
    await file.close();
  });

  test("a replacement of equal size and time has another etag", async () => {
    using folder = new TempFolder();
    writeTree(folder.path, { a: "one", b: "two" });
    for (const name of ["a", "b"]) utimesSync(folder.join(name), 1_000, 1_000);
    const storage = await LocalStorage.at(folder.path);
    const { etag } = await storage.stat("a");
    renameSync(folder.join("b"), folder.join("a"));
    expect((await storage.stat("a")).etag).not.toBe(etag);
  });

  test("another time alone is another etag", async () => {
    using folder = new TempFolder();
    writeTree(folder.path, { a: "one" });
    const storage = await LocalStorage.at(folder.path);
    utimesSync(folder.join("a"), 1_000, 1_000);
    const { etag } = await storage.stat("a");
    utimesSync(folder.join("a"), 1_000, 1_000.001);
    expect((await storage.stat("a")).etag).not.toBe(etag);
  });

  test("a file that was cut short after open() is CHANGED", async () => {
    using folder = new TempFolder();
    writeTree(folder.path, { a: "0123456789" });
    const file = await (await LocalStorage.at(folder.path)).open("a");
    truncateSync(folder.join("a"), 4);
    expect(await codeOf(() => file.read(new Uint8Array(16), 2))).toBe("CHANGED");
    expect(await codeOf(() => file.read(new Uint8Array(16), 4))).toBe("CHANGED");
    expect(await codeOf(() => file.check())).toBe("CHANGED");
    await file.close();
  });

  test.each([10, 200_000])(
    "a file of %i bytes to which some were added after open() is read, and hasGrown tells",
    async (size) => {
      using folder = new TempFolder();
      writeTree(folder.path, { a: "x".repeat(size) });
      const file = await (await LocalStorage.at(folder.path)).open("a");
      appendFileSync(folder.join("a"), "more");
      const buffer = new Uint8Array(size);
      expect(await file.read(buffer, 0)).toBe(size);
      expect(file.hasGrown).toBe(true);
      truncateSync(folder.join("a"), size);
      expect(await codeOf(() => file.read(buffer, 0))).toBe("CHANGED");
      await file.close();
    },
  );

  test("files that vanish while their folder is listed are counted and break nothing", async () => {
    using folder = new TempFolder();
    writeTree(folder.path, { "a/x": "", b: "", c: "" });
    const storage = await LocalStorage.at(folder.path);
    const { paths, skipped } = await walk(storage, "", (entered) => {
      rmSync(folder.join(entered, "x"));
      writeFileSync(folder.join(entered, "y"), "");
      return true;
    });
    expect({ paths, skipped }).toEqual({ paths: ["a", "a/y", "b", "c"], skipped: 0 });
  });

  test("a folder that vanishes before it is entered is counted", async () => {
    using folder = new TempFolder();
    writeTree(folder.path, { "a/x": "", b: "" });
    const { paths, skipped } = await walk(await LocalStorage.at(folder.path), "", () => {
      rmSync(folder.join("a"), { recursive: true });
      return true;
    });
    expect({ paths, skipped }).toEqual({ paths: ["a", "b"], skipped: 1 });
  });

  test("a folder that becomes a link out of the repository before it is entered is not entered", async () => {
    using folder = new TempFolder();
    writeTree(folder.path, { "repository/a/x": "", "repository/b": "", "outside/secret": "" });
    const { paths } = await walk(await LocalStorage.at(folder.join("repository")), "", () => {
      rmSync(folder.join("repository/a"), { recursive: true });
      symlinkSync("../outside", folder.join("repository/a"));
      return true;
    });
    expect(paths).not.toContain("a/secret");
  });

  test("a repository that vanishes is UNREADABLE: of what is in it nothing is said", async () => {
    using folder = new TempFolder();
    writeTree(folder.path, { "repository/a": "" });
    const storage = await LocalStorage.at(folder.join("repository"));
    rmSync(folder.join("repository"), { recursive: true });
    for (const work of [
      () => storage.stat(""),
      () => storage.stat("a"),
      () => storage.open("a"),
      () => walk(storage),
    ]) {
      expect(await codeOf(work)).toBe("UNREADABLE");
    }
  });
});
