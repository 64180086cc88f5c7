import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES } from "../../../lib/block.ts";
import type { TransferItem } from "../../../lib/client/transfer.ts";
import { StorageError } from "../../../lib/errors.ts";
import { MemoryStorage } from "../../../lib/storage/memory-storage.ts";
import { facade } from "../../support/facade.ts";
import { FakeFile } from "../../support/fake-file.ts";
import { codeOf } from "../../support/fault.ts";
import { contentOf, downloading, fillAllSizes, meddledClient, SIZES } from "../../support/moving.ts";
import { readWhole, walk } from "../../support/repository.ts";
import { factsOf } from "../../support/storing.ts";
import { noise } from "../../support/transport-recorder.ts";

const LARGE = noise(6 * BLOCK_BYTES + 5);

async function* of(...items: (Partial<TransferItem> & { from: string })[]): AsyncGenerator<TransferItem> {
  for (const item of items) yield { to: item.from, kind: "file", size: 0, modifiedAt: 0, ...item };
}

describe("a download", () => {
  test("brings a whole tree: contents, times, rights, empty folders", async () => {
    await using moved = downloading();
    await fillAllSizes(moved.server.storage);
    await moved.transfer.run(await moved.server.client());
    expect(await contentOf(moved.local)).toEqual(await contentOf(moved.server.storage));
    const { paths } = await walk(moved.server.storage);
    expect(moved.told.sorted).toEqual(paths.map((path) => `stored ${path}`).sort());
    const total = SIZES.reduce((sum, size) => sum + size, 0) + (199 * 200 * 7) / 2;
    expect(moved.told.progress).toBe(total);
  });

  test.each([
    ["when all in it has arrived", [], ["finish in/closed 320", "finish in 320"]],
    ["and not while something is missing", [{ from: "in/closed/none" }], []],
  ] as const)("takes its owner's rights from a folder last, %s", async (_when, missing, finished) => {
    const content = new Uint8Array(3);
    const told: string[] = [];
    const local = facade<MemoryStorage>(new MemoryStorage(), {
      finishFolder: async (path, mode) => void told.push(`finish ${path} ${mode.toString(8)}`),
    });
    const source = () =>
      of(
        { from: "in", kind: "folder", mode: 0o320 },
        { from: "in/closed", kind: "folder", mode: 0o320 },
        { from: "in/closed/a", size: content.length },
        ...missing,
      );
    await using moved = downloading({ local, source });
    moved.server.storage.set("in/closed/a", content);
    await moved.transfer.run(await moved.server.client());
    expect(told).toEqual([...finished]);
  });

  test("brings one file after the other when that is wanted", async () => {
    await using moved = downloading({ isSequential: true });
    await fillAllSizes(moved.server.storage);
    await moved.transfer.run(await moved.server.client());
    const { paths } = await walk(moved.server.storage);
    expect(moved.told.outcomes).toEqual(paths.map((path) => `stored ${path}`));
  });

  test("gives no file the name of one that it found unchanged, where the disk takes both for one name", async () => {
    const here = new MemoryStorage();
    here.set("Readme", noise(3), 5);
    const local = facade(here, { hasOwnName: async () => false });
    const source = () => of({ from: "Readme", size: 3, modifiedAt: 5 }, { from: "readme", size: 4, modifiedAt: 5 });
    await using moved = downloading({ local, source });
    moved.server.storage.set("Readme", noise(3), 5);
    moved.server.storage.set("readme", noise(4), 5);
    await moved.transfer.run(await moved.server.client());
    expect(moved.told.sorted).toEqual(["SAME_NAME readme", "unchanged Readme"]);
  });

  test("brings nothing when there is nothing", async () => {
    await using moved = downloading();
    await moved.transfer.run(await moved.server.client());
    expect(moved.told.outcomes).toEqual([]);
  });

  test("finds everything unchanged the second time, and moves no file", async () => {
    await using moved = downloading();
    moved.server.storage.set("a", LARGE, 5);
    moved.server.storage.set("b", noise(1_000), 6);
    await moved.transfer.run(await moved.server.client());
    await using again = downloading({ local: moved.local });
    again.server.storage.set("a", LARGE, 5);
    again.server.storage.set("b", noise(1_000), 6);
    const { client, link } = await meddledClient(again.server);
    await again.transfer.run(client);
    expect(again.told.sorted).toEqual(["unchanged a", "unchanged b"]);
    expect(link.bytesIn).toBeLessThan(1_000);
  });

  test.each([
    ["fail", ["EXISTS large", "EXISTS small", "stored new"], [1, 1]],
    ["skip", ["skipped large", "skipped small", "stored new"], [1, 1]],
    ["overwrite", ["stored large", "stored new", "stored small"], [LARGE.length, 500]],
    ["rename", ["stored large as large (2)", "stored new", "stored small as small (2)"], [1, 1]],
  ] as const)("does with what is there what the policy says: %s", async (exists, outcomes, sizes) => {
    await using moved = downloading({ exists });
    for (const [name, content] of [
      ["large", LARGE],
      ["small", noise(500)],
      ["new", noise(9)],
    ] as const) {
      moved.server.storage.set(name, content, 5);
      if (name !== "new") moved.local.set(name, noise(1), 1);
    }
    await moved.transfer.run(await moved.server.client());
    expect(moved.told.sorted).toEqual([...outcomes]);
    expect((await moved.local.stat("large")).size).toBe(sizes[0]);
    expect((await moved.local.stat("small")).size).toBe(sizes[1]);
  });

  test("tells what can't be had, and brings the others", async () => {
    await using moved = downloading({
      source: () =>
        of({ from: "a" }, { from: "missing" }, { from: "folder" }, { from: "../out" }, { from: "z", size: 9 }),
    });
    moved.server.storage.set("a", noise(3));
    moved.server.storage.set("z", noise(2 * BLOCK_BYTES));
    await moved.server.storage.makeFolder("folder");
    await moved.transfer.run(await moved.server.client());
    expect(moved.told.sorted).toEqual(
      ["BAD_PATH ../out", "NOT_A_FILE folder", "NOT_FOUND missing", "stored a", "stored z"], //
    );
  });

  test("starts a file again that changes under way, and has the new one whole", async () => {
    await using moved = downloading();
    moved.server.storage.set("a", LARGE, 5);
    const other = noise(LARGE.length + 999, 2);
    const { client } = await meddledClient(moved.server, {
      onIncoming: ({ name, payload }) => {
        if (name === "DATA" && payload.length > 100_000 && moved.told.restarts.length === 0) {
          moved.server.storage.set("a", other, 6);
        }
        return undefined;
      },
    });
    await moved.transfer.run(client);
    expect(moved.told.restarts.length).toBeGreaterThan(0);
    expect(moved.told.outcomes).toEqual(["stored a"]);
    expect((await readWhole(moved.local, "a")).equals(other)).toBe(true);
  });

  test("gives a file up as CHANGED that changes every time, and leaves nothing of it", async () => {
    await using moved = downloading();
    const { storage } = moved.server;
    storage.set("a", LARGE, 5);
    storage.set("b", noise(10), 5);
    const open = storage.open.bind(storage);
    let opened = 0;
    storage.open = async (path) => {
      if (path === "b") return open(path);
      const file = new FakeFile(LARGE, { etag: `etag-${++opened}`, path });
      file.onRead = (position) => {
        if (position > 2 * BLOCK_BYTES) file.etag = "changed";
        return undefined;
      };
      return file;
    };
    await moved.transfer.run(await moved.server.client());
    expect(moved.told.sorted).toEqual(["CHANGED a", "stored b"]);
    expect([opened, moved.told.restarts.length]).toEqual([3, 2]);
    expect(await moved.local.place("a", factsOf(LARGE), "fail")).toEqual({ outcome: "vacant", path: "a" });
  });

  test("ends by a signal", async () => {
    const abort = new AbortController();
    await using moved = downloading({ signal: abort.signal });
    moved.server.storage.set("a", LARGE);
    const { client } = await meddledClient(moved.server, {
      onIncoming: ({ name }) => {
        if (name === "DATA" && moved.told.starts.length > 0) abort.abort();
        return undefined;
      },
    });
    expect(await codeOf(() => moved.transfer.run(client))).toBe("INTERRUPTED");
    await moved.transfer.close();
    expect(await codeOf(() => moved.local.stat("a"))).toBe("NOT_FOUND");
    await (await moved.local.receive("a", factsOf(LARGE), "fail")).discard();
  });
});

describe("a download to a disk that fails", () => {
  const full = async (): Promise<never> => {
    throw new StorageError("DISK_FULL", "No room.");
  };

  test.each([
    ["its first block", 0],
    ["its last block", 6 * BLOCK_BYTES],
  ])("ends so at %s, and leaves the part free to be gone on with", async (_, position) => {
    await using moved = downloading();
    const { local, server, transfer } = moved;
    server.storage.set("a", LARGE, 5);
    const receive = local.receive.bind(local);
    local.receive = async (...args) => {
      const part = await receive(...args);
      const { write } = part;
      return Object.defineProperty(part, "write", {
        value: (offset: number, ...rest: [Uint8Array, bigint]) =>
          offset === position ? full() : write(offset, ...rest),
      });
    };
    expect(await codeOf(async () => transfer.run(await server.client()))).toBe("DISK_FULL");
    await transfer.close();
    local.receive = receive;
    const facts = { ...factsOf(LARGE), modifiedAt: 5, etag: (await server.storage.stat("a")).etag };
    const part = await local.receive("a", facts, "fail");
    expect(part.missing.map(([from]) => from)).toContain(position);
  });

  test.each([2 * BLOCK_BYTES, 20 * BLOCK_BYTES])(
    "that can't even begin a file of %i bytes tells so, and has the others",
    async (size) => {
      await using moved = downloading();
      const { local, server, told } = moved;
      server.storage.set("a", noise(size), 5);
      server.storage.set("b", noise(3 * BLOCK_BYTES), 5);
      server.storage.set("c", noise(10), 5);
      const receive = local.receive.bind(local);
      local.receive = (path, ...rest) => (path === "a" ? full() : receive(path, ...rest));
      await moved.transfer.run(await server.client());
      expect(told.sorted).toEqual(["DISK_FULL a", "stored b", "stored c"]);
    },
  );

  test("is not sent the rest of a large file that it can't begin", async () => {
    await using moved = downloading();
    const { local, server, told } = moved;
    const size = 40 * BLOCK_BYTES;
    server.storage.set("a", noise(size), 5);
    server.storage.set("b", noise(10), 5);
    local.receive = full;
    const { client, link } = await meddledClient(server);
    await moved.transfer.run(client);
    expect(told.sorted).toEqual(["DISK_FULL a", "stored b"]);
    expect(link.bytesIn).toBeLessThan(size / 2);
  });

  test.each([
    ["a small file", 10],
    ["a file of several blocks", 3 * BLOCK_BYTES],
  ])(
    "ends there when it is full in the moment in which %s is to get its name, and goes on in another run",
    async (_, size) => {
      await using moved = downloading();
      const { local, server, told, transfer } = moved;
      server.storage.set("a", noise(size), 5);
      const { store, receive } = local;
      local.store = full;
      local.receive = async (...args) => {
        const part = await receive.apply(local, args);
        return Object.assign(part, { commit: () => part.keep().then(full) });
      };
      expect(await codeOf(async () => transfer.run(await server.client()))).toBe("DISK_FULL");
      expect(told.outcomes).toEqual([]);
      await transfer.close();
      Object.assign(local, { store, receive });
      await using again = downloading({ local });
      await again.transfer.run(await server.client());
      expect(again.told.outcomes).toEqual(["stored a"]);
    },
  );
});
