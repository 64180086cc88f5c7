import { describe, expect, test } from "bun:test";
import { MemoryStorage } from "../../../lib/storage/memory-storage.ts";
import { OrderedStorage, PathTurns } from "../../../lib/storage/ordered.ts";
import type { ExistsPolicy, FileFacts, Storage } from "../../../lib/storage/storage.ts";
import { WrappedStorage } from "../../../lib/storage/wrapped.ts";
import { settle } from "../../support/fake-clock.ts";

const facts = (size: number): FileFacts => ({ size, modifiedAt: 1, executable: false, etag: "e" });
const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const put = (storage: Storage, path: string, text: string) =>
  storage.store(path, facts(text.length), "overwrite", bytes(text));

async function contentOf(storage: Storage, path: string): Promise<string> {
  const file = await storage.open(path);
  const buffer = new Uint8Array(file.entry.size);
  await file.read(buffer, 0);
  await file.close();
  return Buffer.from(buffer).toString();
}

/** Somebody has the turn of "a" until end() is called, and then writes it. */
async function taken() {
  const turns = new PathTurns();
  const inner = new MemoryStorage();
  const storage = new OrderedStorage(inner, turns);
  for (const path of ["a", "b"]) await put(inner, path, path);
  const { promise, resolve } = Promise.withResolvers<void>();
  const over = turns.run("a", async () => {
    await promise;
    await put(inner, "a", "theirs");
  });
  const end = async () => {
    resolve();
    await over;
  };
  return { turns, inner, storage, end };
}

describe("where somebody looks before a change, of the same path", () => {
  test("a small file waits, with the bytes that it had", async () => {
    const { inner, storage, end } = await taken();
    const own = bytes("ours");
    const stored = storage.store("a", facts(4), "overwrite", own);
    own.fill(0);
    await settle();
    expect(await contentOf(inner, "a")).toBe("a");
    await end();
    expect(await stored).toBe("a");
    expect(await contentOf(inner, "a")).toBe("ours");
  });

  test("the commit of a part waits", async () => {
    const { inner, storage, end } = await taken();
    const part = await storage.receive("a", facts(2_000_000), "overwrite");
    await part.write(0, new Uint8Array(1_048_576), 0n);
    await part.write(1_048_576, new Uint8Array(2_000_000 - 1_048_576), 0n);
    const committed = part.commit();
    await settle();
    expect(await contentOf(inner, "a")).toBe("a");
    await end();
    await committed;
    expect((await inner.stat("a")).size).toBe(2_000_000);
  });

  test("a removal and a rename wait, from there and to there", async () => {
    for (const change of [
      (storage: Storage) => storage.remove("a", { recursive: false }),
      (storage: Storage) => storage.rename("a", "c", { overwrite: true }),
      (storage: Storage) => storage.rename("b", "a", { overwrite: true }),
    ]) {
      const { inner, storage, end } = await taken();
      const changed = change(storage);
      await settle();
      expect(await contentOf(inner, "a")).toBe("a");
      await end();
      await changed;
      const left = await contentOf(inner, "a").catch(() => "nothing");
      expect(left).not.toBe("theirs");
    }
  });

  test("a change of another path waits for nobody", async () => {
    const { storage, end } = await taken();
    expect(await put(storage, "b", "more")).toBe("b");
    await end();
  });
});

test("who looks waits for a small file that is on its way", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const inner = new (class extends WrappedStorage {
    override async store(path: string, of: FileFacts, exists: ExistsPolicy, content: Uint8Array): Promise<string> {
      const copy = new Uint8Array(content);
      await promise;
      return super.store(path, of, exists, copy);
    }
  })(new MemoryStorage());
  const turns = new PathTurns();
  const stored = put(new OrderedStorage(inner, turns), "a", "ours");
  const seen = turns.run("a", () => contentOf(inner, "a"));
  resolve();
  expect(await seen).toBe("ours");
  await stored;
  await settle();
  expect(turns.isTaken("a")).toBe(false);
});

test("two that change the same two paths the other way round wait for each other in turn", async () => {
  const turns = new PathTurns();
  const order: number[] = [];
  const change = (number: number) => async () => {
    order.push(number);
    await settle();
    order.push(number);
  };
  await Promise.all([
    turns.runBoth("a", "b", change(1)),
    turns.runBoth("b", "a", change(2)),
    turns.run("b", change(3)),
  ]);
  expect(order.filter((_, index) => index % 2 === 0)).toEqual(order.filter((_, index) => index % 2 === 1));
  expect([turns.isTaken("a"), turns.isTaken("b")]).toEqual([false, false]);
});
