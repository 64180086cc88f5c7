import { describe, expect, test } from "bun:test";
import { StorageError } from "../../../lib/errors.ts";
import { DigestCache } from "../../../lib/server/digest-cache.ts";
import { systemClock } from "../../../lib/session/clock.ts";
import { MemoryStorage } from "../../../lib/storage/memory-storage.ts";
import type { OpenFile } from "../../../lib/storage/storage.ts";
import { facade } from "../../support/facade.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";
import { codeOf } from "../../support/fault.ts";

const PIECES = 20;
const PIECE = 512 * 1024;
const content = new Uint8Array(PIECES * PIECE);
const expected = new Bun.CryptoHasher("sha256").update(content).digest("hex");
const never = new AbortController().signal;

/** A file whose pieces come when the test lets them. */
function site() {
  const memory = new MemoryStorage();
  memory.set("large", content);
  const state = { reads: 0, open: 0, opened: 0 };
  const gates: (() => void)[] = [];
  const storage = facade(memory, {
    async open(path: string): Promise<OpenFile> {
      const file = await memory.open(path);
      state.open++;
      state.opened++;
      return {
        ...file,
        async read(buffer, position) {
          state.reads++;
          await new Promise<void>((resolve) => gates.push(resolve));
          return file.read(buffer, position);
        },
        async close() {
          state.open--;
        },
      };
    },
  });
  const letAll = async () => {
    for (let round = 0; round < 4 * PIECES; round++) {
      for (const gate of gates.splice(0)) gate();
      await settle();
    }
  };
  const digests = new DigestCache(storage, () => new Bun.CryptoHasher("sha256"), new FakeClock());
  return { digests, state, gates, letAll };
}

async function factsOf(storage: MemoryStorage, path: string) {
  const { size, modifiedAt, executable, mode, etag } = await storage.stat(path);
  return { size, modifiedAt, executable, mode, etag };
}

describe("DigestCache", () => {
  test("reads a file once for all callers meanwhile, and not at all for later ones", async () => {
    const { digests, state, letAll } = site();
    const asked = Array.from({ length: 3 }, () => digests.digest("large", never));
    await letAll();
    expect((await Promise.all(asked)).map(({ sha256 }) => sha256)).toEqual([expected, expected, expected]);
    const { reads } = state;
    expect(reads).toBe(PIECES + 1);
    expect((await digests.digest("large", never)).sha256).toBe(expected);
    expect(state).toMatchObject({ reads, open: 0 });
  });

  test("continues for the waiting callers when one has left, which gets its error at once", async () => {
    const { digests, state, letAll } = site();
    const aborter = new AbortController();
    const left = codeOf(() => digests.digest("large", aborter.signal));
    const stays = digests.digest("large", never);
    await settle();
    aborter.abort();
    expect(await left).toBe("INTERRUPTED");
    await letAll();
    expect((await stays).sha256).toBe(expected);
    expect(state).toMatchObject({ reads: PIECES + 1, open: 0 });
  });

  test("ends with the last waiting caller, and begins again for the next one", async () => {
    const { digests, state, gates, letAll } = site();
    const aborter = new AbortController();
    const left = [1, 2].map(() => codeOf(() => digests.digest("large", aborter.signal)));
    await settle();
    for (const gate of gates.splice(0)) gate();
    await settle();
    aborter.abort();
    expect(await Promise.all(left)).toEqual(["INTERRUPTED", "INTERRUPTED"]);
    const later = digests.digest("large", never);
    await letAll();
    expect((await later).sha256).toBe(expected);
    // The first read two or three pieces, the other all.
    expect(state.reads).toBeLessThan(PIECES + 5);
    expect(state.open).toBe(0);
  });

  test("reads nothing for a caller that has left before", async () => {
    const { digests, state, letAll } = site();
    expect(await codeOf(() => digests.digest("large", AbortSignal.abort()))).toBe("INTERRUPTED");
    await letAll();
    expect(state.reads).toBeLessThanOrEqual(2);
    expect(state.open).toBe(0);
  });

  test("does not keep a failure: the file is read again for later callers", async () => {
    const memory = new MemoryStorage();
    memory.set("a", Buffer.from("abc"));
    let opened = 0;
    const storage = facade(memory, {
      load: async () => undefined,
      async open(path: string): Promise<OpenFile> {
        const file = await memory.open(path);
        if (++opened > 1) return file;
        const fail = async () => {
          throw new StorageError("DISK_FAILED", "EIO");
        };
        return { ...file, read: fail, close: async () => {} };
      },
    });
    const digests = new DigestCache(storage, () => new Bun.CryptoHasher("sha256"), new FakeClock());
    expect(await codeOf(() => digests.digest("a", never))).toBe("DISK_FAILED");
    const { sha256 } = await digests.digest("a", never);
    expect(sha256).toBe(new Bun.CryptoHasher("sha256").update("abc").digest("hex"));
  });

  test("reads a small file in one go, and computes nothing again for the same state of it", async () => {
    const memory = new MemoryStorage();
    memory.set("small", Buffer.from("abc"));
    let digested = 0;
    const createSha256 = () => {
      digested++;
      return new Bun.CryptoHasher("sha256");
    };
    const open = () => Promise.reject(new StorageError("DISK_FAILED", "opened"));
    const digests = new DigestCache(facade(memory, { open }), createSha256, new FakeClock());
    const abc = new Bun.CryptoHasher("sha256").update("abc").digest("hex");
    expect((await digests.digest("small", never)).sha256).toBe(abc);
    expect(await digests.digest("small", never)).toEqual({ ...(await factsOf(memory, "small")), sha256: abc });
    expect(digested).toBe(1);
    memory.set("small", Buffer.from("abcd"));
    expect((await digests.digest("small", never)).sha256).not.toBe(abc);
    expect(digested).toBe(2);
  });

  test("keeps only the last state of a file: one that changes all the time pushes nothing out", async () => {
    const memory = new MemoryStorage();
    memory.set("first", new Uint8Array(1));
    let opened = 0;
    let digested = 0;
    const storage = facade(memory, {
      load: async () => undefined,
      async open(path: string): Promise<OpenFile> {
        const file = await memory.open(path);
        const etag = path === "log" ? `state ${opened++}` : file.entry.etag;
        return { ...file, entry: { ...file.entry, etag }, read: (...where) => file.read(...where) };
      },
    });
    memory.set("log", new Uint8Array(1));
    const createSha256 = () => {
      digested++;
      return new Bun.CryptoHasher("sha256");
    };
    const digests = new DigestCache(storage, createSha256, new FakeClock());
    const ask = async (path: string) => {
      const asked = digests.digest(path, never);
      await settle();
      return asked;
    };
    await ask("first");
    for (let state = 0; state < 10_001; state++) await ask("log");
    const before = digested;
    await ask("first");
    expect(digested).toBe(before);
  });

  test("keeps the digests of 10,000 files, and forgets the one that was asked for longest ago", async () => {
    const memory = new MemoryStorage();
    for (let index = 0; index <= 10_000; index++) memory.set(`${index}`, new Uint8Array(1));
    const digests = new DigestCache(memory, () => new Bun.CryptoHasher("sha256"), systemClock);
    const ask = async (path: string) => (await digests.digest(path, never)).etag;
    const etag = await ask("0");
    const isKnown = () => digests.known({ path: "0", etag }) !== undefined;
    for (let index = 1; index < 10_000; index++) await ask(`${index}`);
    // Whoever looks at it uses it.
    expect(isKnown()).toBe(true);
    await ask("10000");
    expect(isKnown()).toBe(true);
    expect(digests.known({ path: "1", etag: (await memory.stat("1")).etag })).toBeUndefined();
    expect(digests.known({ path: "2", etag: (await memory.stat("2")).etag })).toBeDefined();
  });
});
