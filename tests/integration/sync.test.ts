/** Mirrors between trees in memory: what they never delete, and how they go on after trouble. */
import { describe, expect, test } from "bun:test";
import { Filter } from "../../lib/client/filter.ts";
import { requireWritable } from "../../lib/client/sync/require-writable.ts";
import { stagedPath } from "../../lib/client/sync/staged-name.ts";
import { LocalTarget, RemoteTarget } from "../../lib/client/sync/sync-target.ts";
import { StorageError } from "../../lib/errors.ts";
import { digest64 } from "../../lib/storage/digest64.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import type { ListOptions, StorageEntry } from "../../lib/storage/storage.ts";
import { connectionOf, type MirrorOptions, mirror } from "../support/mirror.ts";
import { contentOf, meddledClient } from "../support/moving.ts";
import { TestServer } from "../support/test-server.ts";

/** Paths with their contents; `time` in milliseconds. */
function tree(files: Record<string, string>, time = 1_000): MemoryStorage {
  const storage = new MemoryStorage();
  for (const [path, content] of Object.entries(files)) storage.set(path, Buffer.from(content), time);
  return storage;
}

const SOURCE = { "a.txt": "a", "docs/b.txt": "b", "docs/deep/c.txt": "c" };
const OLD = { "a.txt": "older", "docs/b.txt": "b", "old/d.txt": "d", "old/e.txt": "e" };

/** A mirror of `here` and the server, in either direction. */
async function mirrored(isSending: boolean, source: MemoryStorage, target: MemoryStorage, options: MirrorOptions = {}) {
  await using server = new TestServer({ storage: isSending ? target : source });
  const connection = await connectionOf(() => server.client());
  return await mirror(connection, isSending ? source : target, { isSending, ...options });
}

describe.each([
  ["to the repository", true],
  ["from the repository", false],
])("a mirror %s", (_, isSending) => {
  test("does what the source asks for", async () => {
    const [source, target] = [tree(SOURCE), tree(OLD)];
    const { done, failed } = await mirrored(isSending, source, target);
    expect(done).toEqual([
      "new docs/deep/",
      "new docs/deep/c.txt",
      "removed old/",
      "removed old/d.txt",
      "removed old/e.txt",
      "updated a.txt",
    ]);
    expect(failed).toEqual([]);
    expect(await contentOf(target)).toEqual(await contentOf(source));
  });

  test("deletes nothing without being told", async () => {
    const target = tree(OLD);
    const { result } = await mirrored(isSending, tree(SOURCE), target, { rules: { deletes: false } });
    expect(result).toMatchObject({ removed: 0, new: 1, updated: 1, unchanged: 1 });
    expect(Object.keys(await contentOf(target))).toContain("old/d.txt");
  });

  test("deletes nothing for a source without files, unless told that this is right", async () => {
    const target = tree(OLD);
    const { result, failed } = await mirrored(isSending, tree({}), target);
    expect(failed).toEqual(["Nothing is deleted: the source has no files."]);
    expect(result).toMatchObject({ removed: 0, firstFailure: { code: "INCOMPLETE" } });
    expect((await mirrored(isSending, tree({}), target, { allowsEmpty: true })).result.removed).toBe(6);
    expect(await contentOf(target)).toEqual({});
  });

  test("deletes nothing when it would be more than allowed", async () => {
    const target = tree(OLD);
    const { done, failed } = await mirrored(isSending, tree(SOURCE), target, { maxRemovals: 2 });
    expect(done.filter((line) => line.startsWith("removed"))).toEqual([]);
    expect(failed).toEqual(["Nothing is deleted: it would be 3, and 2 are allowed."]);
    expect((await mirrored(isSending, tree(SOURCE), target, { maxRemovals: 3 })).result.removed).toBe(3);
  });

  test("leaves newer files alone when told to", async () => {
    const target = tree({ "a.txt": "newer" }, 5_000);
    target.set("docs/b.txt", Buffer.from("older"), 10);
    const { result, done } = await mirrored(isSending, tree(SOURCE), target, { rules: { isNewerKept: true } });
    expect(result.skipped).toBe(1);
    expect(done).toContain("updated docs/b.txt");
    expect(done).not.toContain("updated a.txt");
  });

  test("finds another content of the same size and time, when told to compare it", async () => {
    const target = tree({ ...SOURCE, "a.txt": "x" });
    expect((await mirrored(isSending, tree(SOURCE), target)).done).toEqual([]);
    const { done } = await mirrored(isSending, tree(SOURCE), target, { rules: { comparesContent: true } });
    expect(done).toEqual(["updated a.txt"]);
    expect(await contentOf(target)).toEqual(await contentOf(tree(SOURCE)));
  });

  test("takes the same content for the same, whatever its time, when told to compare it", async () => {
    const target = tree(SOURCE, 7_000);
    expect((await mirrored(isSending, tree(SOURCE), target, { rules: { comparesContent: true } })).done).toEqual([]);
  });

  test("replaces a file by a folder and a folder by a file only with deletions", async () => {
    const source = tree({ "a/b": "1", c: "2" });
    const target = tree({ a: "3", "c/d/e": "4" });
    const kept = await mirrored(isSending, source, target, { rules: { deletes: false } });
    expect(kept.failed).toEqual(["EXISTS a", "EXISTS c"]);
    const { done, failed } = await mirrored(isSending, source, target);
    expect({ done, failed }).toEqual({
      done: ["new a/", "new a/b", "new c", "removed a", "removed c/", "removed c/d/", "removed c/d/e"],
      failed: [],
    });
    expect(await contentOf(target)).toEqual(await contentOf(source));
  });

  test("changes the case of a name in this order: away with the old one, then the new one", async () => {
    const target = tree({ "README.txt": "r", "other.txt": "o" });
    const order: string[] = [];
    const remove = target.remove.bind(target);
    target.remove = (path, options) => {
      order.push(`removed ${path}`);
      return remove(path, options);
    };
    const store = target.store.bind(target);
    target.store = (path, ...rest) => {
      order.push(`stored ${path}`);
      return store(path, ...rest);
    };
    await mirrored(isSending, tree({ "readme.txt": "r", "new.txt": "n" }), target);
    expect(order).toEqual(["stored new.txt", "removed README.txt", "stored readme.txt", "removed other.txt"]);
  });

  test("leaves alone what the filters exclude, unless told to delete that too", async () => {
    const filter = () => new Filter({ lines: [], exclude: ["*.tmp", "cache/"], include: [] });
    const source = tree({ ...SOURCE, "new.tmp": "n" });
    const target = tree({ ...SOURCE, "x.tmp": "x", "cache/y": "y", "gone/z.tmp": "z", "gone/w": "w" });
    expect((await mirrored(isSending, source, target, { rules: { filter: filter() } })).done).toEqual([
      "removed gone/w",
    ]);
    const rules = { filter: filter(), deletesExcluded: true };
    expect((await mirrored(isSending, source, target, { rules })).done).toEqual([
      "removed cache/",
      "removed cache/y",
      "removed gone/",
      "removed gone/z.tmp",
      "removed x.tmp",
    ]);
  });

  test("deletes nothing when a file could not be moved", async () => {
    const target = tree(OLD);
    target.store = async () => {
      throw new StorageError("DISK_DENIED", "no");
    };
    const { done, failed } = await mirrored(isSending, tree(SOURCE), target);
    expect(done.filter((line) => line.startsWith("removed"))).toEqual([]);
    expect(failed).toContain("Nothing is deleted: something before it has failed.");
  });

  test("keeps what it replaces or deletes in a folder for that, also within its target", async () => {
    const [source, target] = [tree(SOURCE), tree({ ...OLD, "kept/in/old/d.txt": "earlier" })];
    await using server = new TestServer({ storage: isSending ? target : source });
    const connection = await connectionOf(() => server.client());
    const keep = (path: string) => target.rename(path, `kept/in/${path}`, { overwrite: true });
    const options = {
      isSending,
      target: isSending ? new RemoteTarget(connection, "", "kept/in") : new LocalTarget(target, keep),
      rules: { setsAside: true, apart: "kept/in" },
    };
    const { done, failed } = await mirror(connection, isSending ? source : target, options);
    expect({ failed, updated: done.filter((line) => /^(updated|removed) [^/]*$/.test(line)) }).toEqual({
      failed: [],
      updated: ["updated a.txt"],
    });
    const content = await contentOf(target);
    expect(Object.keys(content).filter((path) => path.startsWith("kept/"))).toEqual([
      ...["kept/in", "kept/in/a.txt", "kept/in/old", "kept/in/old/d.txt", "kept/in/old/e.txt"],
    ]);
    const others = Object.entries(content).filter(([path]) => !path.startsWith("kept"));
    expect(Object.fromEntries(others)).toEqual(await contentOf(source));
    expect((await mirror(connection, isSending ? source : target, options)).done).toEqual([]);
  });

  test("finishes over new links, wherever they break, and tells each thing once", async () => {
    const big = "b".repeat(1_100_000);
    const source = tree({ ...SOURCE, "big.bin": big, "c/d": "folder" });
    for (let frames = 3; ; frames += frames < 20 ? 1 : 3) {
      const target = tree({ ...OLD, "c/d/e": "in the way" });
      await using server = new TestServer({ storage: isSending ? target : source });
      let left = frames;
      const count = () => (--left === 0 ? "cut" : undefined);
      let links = 0;
      const connection = await connectionOf(async () => {
        if (links++ > 0) return server.client();
        const { client } = await meddledClient(server, { onIncoming: count, onOutgoing: count });
        return client;
      }, 60_000).catch(() => undefined);
      // So early that there is no session yet.
      if (connection === undefined) continue;
      const { done, failed } = await mirror(connection, isSending ? source : target, { isSending });
      expect({ frames, failed }).toEqual({ frames, failed: [] });
      expect({ frames, content: await contentOf(target) }).toEqual({ frames, content: await contentOf(source) });
      expect({ frames, done }).toEqual({ frames, done: [...new Set(done)] });
      if (left > 0) break;
    }
  });
});

/** A tree with a folder that can't be listed. */
class PartlyListed extends MemoryStorage {
  left: { name: string; code: "UNREADABLE" | "NOT_FOUND" } | undefined;

  override async *list(path: string, options: ListOptions): AsyncGenerator<StorageEntry[], void> {
    const { left } = this;
    const isListed = (folder: string) => {
      if (folder !== left?.name) return true;
      if (options.skipped !== undefined) options.skipped.count++;
      options.onLeftOut?.(left);
      return false;
    };
    const enter = (folder: string) => options.enter(folder) && isListed(folder);
    if (path === "" || isListed(path)) yield* super.list(path, { ...options, enter });
  }
}

function partly(files: Record<string, string>, left: PartlyListed["left"]): PartlyListed {
  const storage = new PartlyListed();
  for (const [path, content] of Object.entries(files)) storage.set(path, Buffer.from(content), 1_000);
  storage.left = left;
  return storage;
}

describe.each([true, false])("nothing is deleted (sending: %p)", (isSending) => {
  test.each(["UNREADABLE", "NOT_FOUND"] as const)("when something of the source is %s", async (code) => {
    const source = partly({ ...SOURCE, "secret/x": "x" }, { name: "secret", code });
    const target = tree({ "secret/x": "x", "old.txt": "o" });
    const { done, result } = await mirrored(isSending, source, target);
    expect(done.filter((line) => line.startsWith("removed"))).toEqual([]);
    expect(result.firstFailure).toBeDefined();
    expect(Object.keys(await contentOf(target))).toContain("old.txt");
  });

  test("when a file of the source disappears before it moves", async () => {
    const source = tree(SOURCE);
    const fault = new StorageError(isSending ? "NO_SUCH_FILE" : "NOT_FOUND", "gone");
    source.load = async () => {
      throw fault;
    };
    source.open = source.load as never;
    const { done, failed } = await mirrored(isSending, source, tree(OLD));
    expect(done.filter((line) => line.startsWith("removed"))).toEqual([]);
    expect(failed).toContain("Nothing is deleted: the source has changed while it was listed.");
  });

  test("when something of the target can't be read", async () => {
    const target = partly({ "secret/x": "x", "old.txt": "o" }, { name: "secret", code: "UNREADABLE" });
    const { done, result } = await mirrored(isSending, tree(SOURCE), target);
    expect(done.filter((line) => line.startsWith("removed"))).toEqual([]);
    expect(result.firstFailure).toBeDefined();
  });
});

test.each([
  ["without its end", "cut", "LOST"],
  ["with fewer entries than its end says", Buffer.from('{"entries":100,"skipped":0}'), "INCOMPLETE"],
] as const)("a list that comes %s deletes nothing", async (_, meddling, code) => {
  await using server = new TestServer({ storage: tree(SOURCE) });
  const here = tree(OLD);
  const { client } = await meddledClient(server, {
    onIncoming: ({ name, payload }) => (name === "END" && payload.includes("entries") ? meddling : undefined),
  });
  const failing = mirror(await connectionOf(async () => client), here, { isSending: false });
  await expect(failing).rejects.toMatchObject({ code });
  expect(Object.keys(await contentOf(here))).toEqual(expect.arrayContaining(Object.keys(OLD)));
});

test("a dry run to a disk that keeps whole seconds shows no update of what a run finds to be the same", async () => {
  const [source, target] = [tree(SOURCE, 5_750), tree(SOURCE, 5_000)];
  const { place } = target;
  target.place = (path, { size, modifiedAt }, ...rest) =>
    place.call(target, path, { size, modifiedAt: modifiedAt - (modifiedAt % 1_000) }, ...rest);
  const { done } = await mirrored(true, source, target, { isDry: true });
  expect(done).toEqual([]);
  const { done: same } = await mirrored(true, source, target);
  expect(same).toEqual(["same a.txt", "same docs/b.txt", "same docs/deep/c.txt"]);
});

test("a file never replaces another one of the source, whose name the disk of this machine takes for the same", async () => {
  const source = tree({ ...SOURCE, "A.TXT": "large letters" });
  const target = tree({ "a.txt": "a" });
  const { stat } = target;
  target.stat = (path) => stat.call(target, path === "A.TXT" ? "a.txt" : path);
  const { done, failed, result } = await mirrored(false, source, target);
  expect(failed).toEqual(["SAME_NAME A.TXT"]);
  expect(done).toEqual(["new docs/", "new docs/b.txt", "new docs/deep/", "new docs/deep/c.txt"]);
  expect(result).toMatchObject({ new: 2, unchanged: 1, failed: 1 });
});

test.each([
  ["letter case", "A.TXT", "a.txt"],
  ["normal form", "caf\u00e9", "cafe\u0301"],
])(
  "a file of this machine never replaces another one, whose name the server's disk takes for the same by its %s",
  async (_, one, other) => {
    const source = tree({ [one]: "one", [other]: "the other", "z.txt": "z" });
    const target = tree({ [one]: "one", "old.txt": "old" });
    const { stat } = target;
    target.stat = (path) => stat.call(target, path === other ? one : path);
    for (let run = 0; run < 2; run++) {
      const { done, failed, result } = await mirrored(true, source, target);
      expect(failed).toEqual(["Nothing is deleted: something before it has failed.", `SAME_NAME ${other}`]);
      expect(done).toEqual(run === 0 ? ["new z.txt"] : []);
      expect(result).toMatchObject({ failed: 1, unchanged: run === 0 ? 1 : 2 });
    }
    expect(await contentOf(target)).toEqual(await contentOf(tree({ [one]: "one", "old.txt": "old", "z.txt": "z" })));
  },
);

test("names that differ in case alone are mirrored to a disk that keeps them apart", async () => {
  const source = tree({ "A.TXT": "one", "a.txt": "the other", "docs/x": "x", "DOCS/y": "y" });
  const target = tree({ "a.txt": "the other" });
  const { failed, result } = await mirrored(true, source, target);
  expect(failed).toEqual([]);
  expect(result).toMatchObject({ new: 3, unchanged: 1 });
  expect(await contentOf(target)).toEqual(await contentOf(source));
});

test("an interrupted mirror deletes nothing more, and the same one finishes", async () => {
  const here = tree(OLD);
  await using server = new TestServer({ storage: tree(SOURCE) });
  const connection = await connectionOf(() => server.client());
  const abort = new AbortController();
  const target = new LocalTarget(here);
  target.remove = async (path) => {
    abort.abort();
    await here.remove(path, { recursive: false });
  };
  const failing = mirror(connection, here, { isSending: false, signal: abort.signal, target });
  await expect(failing).rejects.toMatchObject({ code: "INTERRUPTED" });
  expect(Object.keys(await contentOf(here))).toContain("old");
  await mirror(connection, here, { isSending: false });
  expect(await contentOf(here)).toEqual(await contentOf(server.storage === here ? here : tree(SOURCE)));
});

test("two mirrors at once end with the same target", async () => {
  const target = tree(OLD);
  const source = tree({ ...SOURCE, "big.bin": "b".repeat(3_000_000) });
  await using server = new TestServer({ storage: target });
  const connections = await Promise.all([1, 2].map(() => connectionOf(() => server.client())));
  const ends = await Promise.all(connections.map((connection) => mirror(connection, source)));
  // Only one of them may write to the large file.
  for (const { failed } of ends) {
    for (const line of failed)
      expect(line).toMatch(/^(BUSY big\.bin|Nothing is deleted: something before it has failed\.)$/);
  }
  const [connection] = connections;
  if (connection !== undefined) await mirror(connection, source);
  expect(await contentOf(target)).toEqual(await contentOf(source));
});

test("a folder that holds only unfinished files goes, and one that was filled meanwhile stays", async () => {
  const target = tree({ "old/x": "x", "filled/y": "y" });
  const remove = target.remove.bind(target);
  target.remove = async (path, options) => {
    if (path === "filled") target.set("filled/new", Buffer.from("n"), 1);
    await remove(path, options);
  };
  const { failed } = await mirrored(true, tree({ a: "a" }), target);
  expect(failed).toEqual(["NOT_EMPTY filled"]);
  expect(Object.keys(await contentOf(target)).sort()).toEqual(["a", "filled", "filled/new"]);
});

describe("whether the repository may be changed", () => {
  const { signal } = new AbortController();

  test("is asked without storing anything", async () => {
    await using server = new TestServer();
    await requireWritable(await server.client(), signal);
    expect(await contentOf(server.storage)).toEqual({});
  });

  test("depends on the role and on the server", async () => {
    await using server = new TestServer();
    await using closed = new TestServer({ writable: false });
    await expect(requireWritable(await server.client({}, "read"), signal)).rejects.toMatchObject({
      code: "NOT_ALLOWED",
    });
    await expect(requireWritable(await closed.client(), signal)).rejects.toMatchObject({ code: "NOT_ALLOWED" });
  });
});

describe.each([
  ["to the repository", true],
  ["from the repository", false],
])("what an interrupted mirror %s has left", (_, isSending) => {
  const STAGED = stagedPath("docs/b.txt", digest64);

  /** A mirror that moves what it replaces to the folder "kept" of its target. */
  async function backed(source: MemoryStorage, target: MemoryStorage, options: MirrorOptions = {}) {
    await using server = new TestServer({ storage: isSending ? target : source });
    const connection = await connectionOf(() => server.client());
    const setAside = (path: string) => target.rename(path, `kept/${path}`, { overwrite: true });
    return await mirror(connection, isSending ? source : target, {
      isSending,
      target: isSending ? new RemoteTarget(connection, "", "kept") : new LocalTarget(target, setAside),
      ...options,
      rules: { setsAside: true, apart: "kept", deletes: false, ...options.rules },
    });
  }

  /** Stores of whole files in a tree. */
  function stores(target: MemoryStorage): string[] {
    const stored: string[] = [];
    const store = target.store.bind(target);
    target.store = (path, ...rest) => {
      stored.push(path);
      return store(path, ...rest);
    };
    return stored;
  }

  test.each([
    ["before the old file was moved away", { "docs/b.txt": "older" }, "updated"],
    ["after the old file was moved away", { "kept/docs/b.txt": "older" }, "new"],
  ])("%s gets its place, and moves no bytes again", async (_, old, change) => {
    const target = tree({ ...SOURCE, [STAGED]: "b" });
    await target.remove("docs/b.txt", { recursive: false });
    for (const [path, content] of Object.entries(old)) target.set(path, Buffer.from(content), 500);
    const stored = stores(target);
    const { done, failed } = await backed(tree(SOURCE), target);
    expect({ done, failed, stored }).toEqual({ done: [`${change} docs/b.txt`], failed: [], stored: [] });
    const whole = tree(SOURCE);
    whole.set("kept/docs/b.txt", Buffer.from("older"), 500);
    expect(await contentOf(target)).toEqual(await contentOf(whole));
  });

  test("is taken by a mirror that keeps nothing, too", async () => {
    const target = tree({ ...SOURCE, [STAGED]: "b" });
    await target.remove("docs/b.txt", { recursive: false });
    expect((await mirrored(isSending, tree(SOURCE), target)).done).toEqual(["new docs/b.txt"]);
    expect(await contentOf(target)).toEqual(await contentOf(tree(SOURCE)));
  });

  test("goes when its file is whole at its place, and is no deletion", async () => {
    const target = tree({ ...SOURCE, [STAGED]: "an older one", "docs/x": "x" });
    expect((await mirrored(isSending, tree(SOURCE), target, { isDry: true })).done).toEqual(["removed docs/x"]);
    expect(Object.keys(await contentOf(target))).toContain(STAGED);
    const { done, result } = await mirrored(isSending, tree(SOURCE), target, { rules: { deletes: false } });
    expect({ done, removed: result.removed }).toEqual({ done: [], removed: 0 });
    expect(await contentOf(target)).toEqual(await contentOf(tree({ ...SOURCE, "docs/x": "x" })));
  });

  test("stays while something fails, or while its file is not at its place", async () => {
    const filter = () => new Filter({ lines: [], exclude: ["b.txt"], include: [] });
    const target = tree({ "a.txt": "a", "docs/deep/c.txt": "c", [STAGED]: "b" });
    await mirrored(isSending, tree(SOURCE), target, { rules: { filter: filter() } });
    expect(Object.keys(await contentOf(target))).toContain(STAGED);
    const inTheWay = tree({ ...SOURCE, [STAGED]: "b", "x/y": "" });
    const { failed } = await mirrored(isSending, tree({ ...SOURCE, x: "" }), inTheWay, { rules: { deletes: false } });
    expect(failed).toEqual(["EXISTS x"]);
    expect(Object.keys(await contentOf(inTheWay))).toContain(STAGED);
  });

  test("of a file that the source no longer has is like all that only the target has", async () => {
    const gone = stagedPath("docs/gone", digest64);
    const target = tree({ ...SOURCE, [gone]: "the only copy" });
    expect((await mirrored(isSending, tree(SOURCE), target, { rules: { deletes: false } })).done).toEqual([]);
    expect(Object.keys(await contentOf(target))).toContain(gone);
    expect((await mirrored(isSending, tree(SOURCE), target)).done).toEqual([`removed ${gone}`]);
  });

  test("of the source's own is mirrored like any file", async () => {
    const [source, target] = [tree({ ...SOURCE, [STAGED]: "b" }), tree({})];
    for (let run = 0; run < 2; run++) await mirrored(isSending, source, target);
    expect(await contentOf(target)).toEqual(await contentOf(source));
  });

  test("never takes the place of another content, where contents are compared", async () => {
    const rules = { comparesContent: true };
    const target = tree({ ...SOURCE, "docs/b.txt": "y", [STAGED]: "x" });
    const { failed } = await backed(tree(SOURCE), target, { rules });
    expect(failed).toEqual(["CHANGED docs/b.txt"]);
    expect((await backed(tree(SOURCE), target, { rules })).done).toEqual(["updated docs/b.txt"]);
    expect((await contentOf(target))["docs/b.txt"]).toEqual((await contentOf(tree(SOURCE)))["docs/b.txt"] as string);
  });

  test("of very many files, they get their places a few at a time", async () => {
    const names = Array.from({ length: 300 }, (_, index) => `f${index}`);
    const [source, target] = [new MemoryStorage(), new MemoryStorage()];
    for (const name of names) {
      source.set(name, Buffer.from("new"), 1_000);
      target.set(stagedPath(name, digest64), Buffer.from("new"), 1_000);
    }
    const { failed, result } = await backed(source, target);
    expect({ failed, new: result.new }).toEqual({ failed: [], new: 300 });
    expect(await contentOf(target)).toEqual(await contentOf(source));
  });

  test("an interrupted run gives a file its place, once the old one is moved away", async () => {
    const target = tree({ ...SOURCE, "docs/b.txt": "older" });
    const abort = new AbortController();
    await using server = new TestServer({ storage: isSending ? target : tree(SOURCE) });
    const connection = await connectionOf(() => server.client());
    const place = isSending ? new RemoteTarget(connection, "", "kept") : new LocalTarget(target);
    const run = mirror(connection, isSending ? tree(SOURCE) : target, {
      isSending,
      signal: abort.signal,
      rules: { setsAside: true, apart: "kept" },
      target: {
        width: 1,
        remove: (path) => place.remove(path),
        replace: (from, to) => place.replace(from, to),
        async setAside(path) {
          await target.rename(path, `kept/${path}`, { overwrite: true });
          abort.abort();
          // What the interruption ends has its time to end.
          for (let turn = 0; turn < 100; turn++) await Bun.sleep(0);
        },
      },
    });
    await run.catch(() => {});
    const { [STAGED]: left, ["docs/b.txt"]: placed } = await contentOf(target);
    expect({ left, placed }).toEqual({ left: undefined, placed: (await contentOf(tree(SOURCE)))["docs/b.txt"] });
  });
});
