import { expect, test } from "bun:test";
import type { Change } from "../../lib/protocol/methods.ts";
import { type Clock, systemClock } from "../../lib/session/clock.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import type { StorageChange, StorageEntry } from "../../lib/storage/storage.ts";
import { facade } from "../support/facade.ts";
import { codeOf } from "../support/fault.ts";
import { TestServer } from "../support/test-server.ts";

const PATHS = Array.from({ length: 1_000 }, (_, index) => `file-${String(index).padStart(4, "0")}`);
const entryOf = (path: string): StorageEntry => ({
  path,
  kind: "file",
  size: 1,
  modifiedAt: 0,
  executable: false,
  etag: "e",
});

/** A clock by which every look at it takes a millisecond, as does a match of an expensive pattern; it counts turns. */
function slowClock(): { clock: Clock; turns: () => number } {
  let [now, turns] = [0, 0];
  const clock = facade(systemClock, {
    now: () => ++now,
    turn: () => {
      turns++;
      return systemClock.turn();
    },
  });
  return { clock, turns: () => turns };
}

test("a list gives others their turn while a pattern is tried on a batch of paths", async () => {
  const { clock, turns } = slowClock();
  const storage = facade(new MemoryStorage(), {
    list: async function* () {
      yield PATHS.map(entryOf);
    },
  });
  await using server = new TestServer({ storage, clock });
  const client = await server.client();
  const before = turns();
  const told: string[] = [];
  for await (const { path } of client.list("*7")) told.push(path);
  expect(told).toEqual(PATHS.filter((path) => path.endsWith("7")));
  expect(turns() - before).toBeGreaterThan(PATHS.length / 4);
});

test("a list that was left is not gone on with", async () => {
  const batches = 5_000;
  let taken = 0;
  const storage = facade(new MemoryStorage(), {
    list: async function* () {
      while (taken < batches) {
        taken++;
        yield PATHS.map(entryOf);
      }
    },
  });
  await using server = new TestServer({ storage });
  const client = await server.client();
  const abort = new AbortController();
  const listing = client.list("nothing*", abort.signal).next();
  // In memory all of a call may happen in microtasks, and the list waits for a turn of the event loop.
  const talk = async () => {
    await client.send("on");
    await systemClock.turn();
  };
  while (taken < 3) await talk();
  abort.abort();
  await listing.catch(() => {});
  for (let turn = 0; turn < 10; turn++) await talk();
  const before = taken;
  for (let turn = 0; turn < 10; turn++) await talk();
  expect(taken).toBe(before);
  expect(taken).toBeLessThan(batches);
});

/** A storage whose changes a test tells. */
function told(): { storage: MemoryStorage; tell: (changes: readonly StorageChange[]) => void } {
  const listeners = new Set<(changes: readonly StorageChange[]) => void>();
  const storage = facade(new MemoryStorage(), {
    watch: async (listener: (changes: readonly StorageChange[]) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  });
  return {
    storage,
    tell: (changes) => {
      for (const listener of listeners) listener(changes);
    },
  };
}

const changesOf = (paths: readonly string[]) =>
  paths.map((path): StorageChange => ({ change: "added", path, entry: entryOf(path) }));

test("a watch gives others their turn while a pattern is tried on many changes, and tells them in order", async () => {
  const { clock, turns } = slowClock();
  const { storage, tell } = told();
  await using server = new TestServer({ storage, clock });
  const client = await server.client();
  const watching = client.watch("*7");
  const first = watching.next();
  await client.send("in order");
  const before = turns();
  tell(changesOf(PATHS.slice(0, 500)));
  tell(changesOf(PATHS.slice(500)));
  const expected = PATHS.filter((path) => path.endsWith("7"));
  const seen = [(await first).value as Change];
  while (seen.length < expected.length) seen.push((await watching.next()).value as Change);
  expect(seen).toMatchObject(expected.map((path) => ({ change: "added", path })));
  expect(turns() - before).toBeGreaterThan(PATHS.length / 4);
});

test("changes that come faster than a pattern can be matched are reported as a number", async () => {
  const { clock } = slowClock();
  const { storage, tell } = told();
  await using server = new TestServer({ storage, clock });
  const client = await server.client();
  const watching = client.watch("*7");
  const first = watching.next();
  await client.send("in order");
  tell(changesOf(PATHS.slice(0, 8)));
  const many = changesOf(Array.from({ length: 100_001 }, () => "other7"));
  tell(many);
  expect((await first).value).toMatchObject({ path: "file-0007" });
  expect((await watching.next()).value).toEqual({ change: "missed", count: many.length });
});

test("a pattern beyond the limits is refused by list and by watch, and the session goes on", async () => {
  await using server = new TestServer();
  const client = await server.client();
  for (const glob of [`*${"a".repeat(256)}`, "{a,b}".repeat(17), "*a".repeat(33)]) {
    expect(await codeOf(() => client.list(glob).next())).toBe("BAD_PARAMS");
    expect(await codeOf(() => client.watch(glob).next())).toBe("BAD_PARAMS");
  }
  expect((await client.send("on")).text).toBe("on ACK");
});
