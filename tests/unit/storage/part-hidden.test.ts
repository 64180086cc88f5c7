import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { BLOCK_BYTES } from "../../../lib/block.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { codeOf, faultOf } from "../../support/fault.ts";
import { walk, writeTree } from "../../support/repository.ts";
import { factsOf, store, writeBlock, writeMissing } from "../../support/storing.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { noise } from "../../support/transport-recorder.ts";

const LARGE = noise(2 * BLOCK_BYTES + 1);
const UNFINISHED = [
  "a.commserver-part",
  "a.commserver-journal",
  "a.commserver-lock",
  "sub/x.commserver-part",
  "d.commserver-part/inner",
  "d.commserver-lock/inner",
  // On some systems the same names.
  "a.COMMSERVER-PART",
  "sub/x.CommServer-Journal",
  "d.Commserver-part/inner",
];

describe("an unfinished file", () => {
  test("lies beside its target, in names that nobody takes for files, and is gone with commit()", async () => {
    using folder = new TempFolder();
    const storage = await LocalStorage.at(folder.path);
    const part = await storage.receive("a.txt", factsOf(LARGE), "fail");
    await writeMissing(part, LARGE);
    const names = readdirSync(folder.path).sort();
    expect(names).toEqual(["a.txt.commserver-journal", "a.txt.commserver-lock", "a.txt.commserver-part"]);
    expect(await walk(storage)).toMatchObject({ paths: [], skipped: 0 });
    await part.commit();
    expect(readdirSync(folder.path)).toEqual(["a.txt"]);
  });

  test("is two files after keep() and none after discard()", async () => {
    using folder = new TempFolder();
    const storage = await LocalStorage.at(folder.path);
    await (await storage.receive("a", factsOf(LARGE), "fail")).keep();
    expect(readdirSync(folder.path)).toHaveLength(2);
    await (await storage.receive("a", factsOf(LARGE), "fail")).discard();
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test("has a name that fits, however long that of its file is", async () => {
    using folder = new TempFolder();
    const storage = await LocalStorage.at(folder.path);
    for (const name of ["x".repeat(255), "y".repeat(237), "é".repeat(127)]) {
      const part = await storage.receive(name, factsOf(LARGE), "fail");
      expect(await walk(storage)).toMatchObject({ paths: [], skipped: 0 });
      await part.discard();
    }
  });

  test.each(UNFINISHED)("can't be told, opened, made, placed, moved or removed by its name: %s", async (path) => {
    using folder = new TempFolder();
    writeTree(folder.path, { [path]: "unfinished", good: "x" });
    const storage = await LocalStorage.at(folder.path);
    const refused = {
      stat: () => storage.stat(path),
      open: () => storage.open(path),
      place: () => storage.place(path, factsOf(LARGE), "overwrite"),
      receive: () => storage.receive(path, factsOf(LARGE), "overwrite"),
      store: () => store(storage, path, noise(3), { exists: "overwrite" }),
      makeFolder: () => storage.makeFolder(path),
      remove: () => storage.remove(path, { recursive: true }),
      "rename from": () => storage.rename(path, "b", { overwrite: true }),
      "rename to": () => storage.rename("good", path, { overwrite: true }),
    };
    for (const [what, work] of Object.entries(refused)) {
      expect(`${what}: ${await codeOf(work)}`).toBe(`${what}: NOT_ALLOWED`);
    }
    expect(readFileSync(folder.join(path), "utf8")).toBe("unfinished");
    const { paths } = await walk(storage);
    expect(paths.filter((name) => name.toLowerCase().includes(".commserver-"))).toEqual([]);
  });

  test("that is small leaves nothing behind when its name is taken", async () => {
    using folder = new TempFolder();
    writeTree(folder.path, { a: "theirs" });
    const storage = await LocalStorage.at(folder.path);
    for (const exists of ["fail", "skip"] as const) {
      expect(await codeOf(() => store(storage, "a", noise(10), { exists }))).toBe("EXISTS");
    }
    expect(readdirSync(folder.path)).toEqual(["a"]);
  });

  test("is not written through a link that lies under the name of its part or journal", async () => {
    for (const suffix of [".commserver-part", ".commserver-journal"]) {
      using folder = new TempFolder();
      writeTree(folder.path, { "repository/b": "x", outside: "precious" });
      symlinkSync("../outside", folder.join(`repository/a${suffix}`));
      const storage = await LocalStorage.at(folder.join("repository"));
      await faultOf(() => storage.receive("a", factsOf(LARGE), "fail"));
      expect(readFileSync(folder.join("outside"), "utf8")).toBe("precious");
    }
  });

  test("does not hold anything up when a FIFO lies under the name of its part or journal", async () => {
    for (const suffix of [".commserver-part", ".commserver-journal"]) {
      using folder = new TempFolder();
      Bun.spawnSync(["mkfifo", folder.join(`a${suffix}`)]);
      const storage = await LocalStorage.at(folder.path);
      await faultOf(() => storage.receive("a", factsOf(LARGE), "fail"));
      expect(await codeOf(() => storage.stat("a"))).toBe("NOT_FOUND");
    }
  });

  test("can be one of several in a folder, each for itself", async () => {
    using folder = new TempFolder();
    const storage = await LocalStorage.at(folder.path);
    const names = ["a", "b", "a.b"];
    const contents = names.map((_, at) => noise(2 * BLOCK_BYTES + at, at + 1));
    const parts = await Promise.all(
      names.map((name, at) => storage.receive(name, factsOf(contents[at] as Buffer), "fail")),
    );
    for (const block of [2, 0, 1]) {
      await Promise.all(parts.map((part, at) => writeBlock(part, contents[at] as Buffer, block * BLOCK_BYTES)));
    }
    for (const part of parts) {
      await writeMissing(part, contents[parts.indexOf(part)] as Buffer);
      await part.commit();
    }
    expect(readdirSync(folder.path).sort()).toEqual([...names].sort());
    names.forEach((name, at) => {
      expect(readFileSync(folder.join(name)).equals(contents[at] as Buffer)).toBe(true);
    });
  });
});

describe("what is under the name of a file that comes", () => {
  test.each(["small", "large"] as const)("is replaced when it is a link, not what that leads to: %s", async (kind) => {
    using folder = new TempFolder();
    writeTree(folder.path, { "repository/target": "target", outside: "precious" });
    const content = kind === "small" ? noise(10) : LARGE;
    for (const [name, to] of [
      ["in", "target"],
      ["out", "../outside"],
      ["nowhere", "missing"],
    ] as const) {
      symlinkSync(to, folder.join("repository", name));
      const storage = await LocalStorage.at(folder.join("repository"));
      expect(await codeOf(() => store(storage, name, content))).toBe("EXISTS");
      await store(storage, name, content, { exists: "overwrite" });
      expect(readFileSync(folder.join("repository", name)).equals(content)).toBe(true);
    }
    expect(readFileSync(folder.join("repository/target"), "utf8")).toBe("target");
    expect(readFileSync(folder.join("outside"), "utf8")).toBe("precious");
    expect(readdirSync(folder.path).sort()).toEqual(["outside", "repository"]);
  });

  test.each(["small", "large"] as const)("is not replaced when it is a FIFO: %s", async (kind) => {
    using folder = new TempFolder();
    Bun.spawnSync(["mkfifo", folder.join("fifo")]);
    const storage = await LocalStorage.at(folder.path);
    const content = kind === "small" ? noise(10) : LARGE;
    expect(await codeOf(() => storage.place("fifo", factsOf(content), "overwrite"))).toBe("EXISTS");
    expect(await codeOf(() => store(storage, "fifo", content, { exists: "overwrite" }))).toBe("EXISTS");
    expect(statSync(folder.join("fifo")).isFIFO()).toBe(true);
  });

  const onlyRoot = process.getuid?.() === 0 ? "" : " (skipped: only root makes devices)";
  test.skipIf(onlyRoot !== "")(`is not replaced when it is a device${onlyRoot}`, async () => {
    using folder = new TempFolder();
    Bun.spawnSync(["mknod", folder.join("null"), "c", "1", "3"]);
    const storage = await LocalStorage.at(folder.path);
    expect(await codeOf(() => store(storage, "null", noise(10), { exists: "overwrite" }))).toBe("EXISTS");
    expect(statSync(folder.join("null")).isCharacterDevice()).toBe(true);
  });

  test("stays whole until the new one is: a reader has the one or the other", async () => {
    using folder = new TempFolder();
    writeFileSync(folder.join("a"), "the old content");
    const storage = await LocalStorage.at(folder.path);
    const part = await storage.receive("a", factsOf(LARGE), "overwrite");
    await writeMissing(part, LARGE);
    expect(readFileSync(folder.join("a"), "utf8")).toBe("the old content");
    await part.commit();
    expect(readFileSync(folder.join("a")).equals(LARGE)).toBe(true);
  });
});
