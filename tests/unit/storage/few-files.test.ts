import { describe, expect, spyOn, test } from "bun:test";
import { BLOCK_BYTES } from "../../../lib/block.ts";
import { FewFilesStorage } from "../../../lib/storage/few-files.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { MemoryStorage } from "../../../lib/storage/memory-storage.ts";
import { codeOf } from "../../support/fault.ts";
import { openBelow } from "../../support/open-files.ts";
import { walk, writeTree } from "../../support/repository.ts";
import { factsOf, store, writeMissing } from "../../support/storing.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { noise } from "../../support/transport-recorder.ts";

const LARGE = noise(2 * BLOCK_BYTES + 7);

function memory(max: number): FewFilesStorage {
  const inner = new MemoryStorage();
  for (const path of ["a", "b", "docs/c", "docs/deep/d"]) inner.set(path, new Uint8Array(3));
  return new FewFilesStorage(inner, max);
}

describe("a storage with few descriptors", () => {
  test("opens so many files, refuses the next with words, and opens it when one is closed, once", async () => {
    const storage = memory(2);
    const [a, b] = [await storage.open("a"), await storage.open("b")];
    expect(await codeOf(() => storage.open("docs/c"))).toBe("OVERLOADED");
    await a.close();
    await a.close();
    expect(storage.used).toBe(1);
    await (await storage.open("docs/c")).close();
    await b.close();
    expect(storage.used).toBe(0);
  });

  test("gives back what a file took that could not be opened", async () => {
    const storage = memory(1);
    for (const path of ["none", "docs"]) expect(await codeOf(() => storage.open(path))).toMatch(/^NOT_/);
    expect(storage.used).toBe(0);
  });

  test.each(["commit", "keep", "discard"] as const)(
    "takes three for a file that is received, until %s",
    async (end) => {
      const storage = memory(5);
      const part = await storage.receive("new", factsOf(LARGE), "fail");
      expect(storage.used).toBe(3);
      expect(await codeOf(() => storage.receive("other", factsOf(LARGE), "fail"))).toBe("OVERLOADED");
      await writeMissing(part, LARGE);
      await part[end]();
      await part.keep();
      expect(storage.used).toBe(0);
    },
  );

  test("gives back what a file took that could not be received", async () => {
    const storage = memory(3);
    expect(await codeOf(() => storage.receive("a/b", factsOf(LARGE), "fail"))).toBe("EXISTS");
    expect(storage.used).toBe(0);
  });

  test("lists as deep as it has descriptors for, and lets go of them, also when it is left", async () => {
    expect((await walk(memory(6))).paths).toHaveLength(6);
    const storage = memory(5);
    expect(await codeOf(() => walk(storage))).toBe("OVERLOADED");
    for await (const _ of storage.list("", { enter: () => true, skipped: { count: 0 } })) break;
    expect(storage.used).toBe(0);
  });

  test("takes two for each folder on the way of a list, below the one that is listed, and gives them back", async () => {
    const inner = new MemoryStorage();
    for (const path of ["a", "docs/c", "docs/deep/d", "docs/e", "z"]) inner.set(path, new Uint8Array(3));
    const storage = new FewFilesStorage(inner, 100);
    const taken = async (path: string) => {
      const seen: Record<string, number> = {};
      for await (const [first] of storage.list(path, { enter: () => true })) seen[first?.path ?? ""] = storage.used;
      return seen;
    };
    const inDocs = { "docs/c": 4, "docs/deep": 4, "docs/deep/d": 6, "docs/e": 4 };
    expect(await taken("")).toEqual({ a: 2, docs: 2, ...inDocs, z: 2 });
    expect(await taken("docs")).toEqual({ "docs/c": 2, "docs/deep": 2, "docs/deep/d": 4, "docs/e": 2 });
    expect(storage.used).toBe(0);
    const none = new FewFilesStorage(inner, 1);
    expect(await codeOf(() => walk(none))).toBe("OVERLOADED");
    expect(none.used).toBe(0);
  });

  test("stores a small file when it has one, and refuses it before anything is made of it", async () => {
    using folder = new TempFolder();
    const local = await LocalStorage.at(folder.path);
    const storage = new FewFilesStorage(local, 1);
    const under = Promise.all([storage.store("a", factsOf(noise(3)), "fail", noise(3))]);
    if (storage.used === 1) {
      expect(await codeOf(() => storage.store("b", factsOf(noise(3)), "fail", noise(3)))).toBe("OVERLOADED");
    }
    await under;
    await store(storage, "b", noise(3));
    expect((await walk(local)).paths).toEqual(["a", "b"]);
    expect(storage.used).toBe(0);
  });

  test("takes one for a small file until it is stored, or could not be, and no more comes back", async () => {
    const storage = memory(2);
    const storing = storage.store("new", factsOf(noise(3)), "fail", noise(3));
    expect(storage.used).toBe(1);
    await storing;
    expect(storage.used).toBe(0);
    expect(await codeOf(() => store(storage, "new", noise(3)))).toBe("EXISTS");
    expect(storage.used).toBe(0);
  });

  test("is as free as before when a small file was stored at once, with no wait", async () => {
    const inner = new MemoryStorage();
    using _store = spyOn(inner, "store").mockImplementation(((path: string) => path) as never);
    const storage = new FewFilesStorage(inner, 2);
    expect(storage.store("new", factsOf(noise(3)), "fail", noise(3))).toBe("new");
    expect(storage.used).toBe(0);
  });

  test("does not count small files where it has many", async () => {
    const storage = memory(1_024);
    const storing = storage.store("new", factsOf(noise(3)), "fail", noise(3));
    expect(storage.used).toBe(0);
    await storing;
    expect(storage.used).toBe(0);
  });

  test.skipIf(process.platform !== "linux")("counts no fewer than are open", async () => {
    using folder = new TempFolder();
    writeTree(folder.path, { a: "a", "docs/deep/b": "b", "docs/c": "c" });
    const storage = new FewFilesStorage(await LocalStorage.at(folder.path), 100);
    await (await storage.open("a")).close();
    // The folder that was used last stays open.
    const before = openBelow(folder.path);
    const open = () => openBelow(folder.path) - before;
    const file = await storage.open("a");
    expect(open()).toBeLessThanOrEqual(storage.used);
    const parts = await Promise.all(["x", "docs/y"].map((path) => storage.receive(path, factsOf(LARGE), "fail")));
    expect(open()).toBeLessThanOrEqual(storage.used);
    await file.close();
    await Promise.all(parts.map((part) => part.discard()));
    for await (const _ of storage.list("", { enter: () => true, skipped: { count: 0 } })) {
      expect(open()).toBeLessThanOrEqual(storage.used);
    }
    expect(storage.used).toBe(0);
  });
});
