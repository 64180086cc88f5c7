import { describe, expect, test } from "bun:test";
import { mkdirSync, rmSync } from "node:fs";
import type { Client } from "../../lib/client/client.ts";
import { systemClock } from "../../lib/session/clock.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import type { ExistsPolicy } from "../../lib/storage/storage.ts";
import { frame } from "../support/frames.ts";
import { Random } from "../support/random.ts";
import { BLOCK, getting, parseChunks } from "../support/raw-chunks.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { readWhole } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestServer } from "../support/test-server.ts";
import { fetchAll, sendAll, sha256Of } from "../support/transfers.ts";
import { until } from "../support/until.ts";

const random = new Random("sharing");

/** A tree in memory with one file. */
function one(content: Uint8Array, modifiedAt = Date.now()): MemoryStorage {
  const storage = new MemoryStorage();
  storage.set("f", content, modifiedAt);
  return storage;
}

describe("many clients", () => {
  test("fetch the same file at once, each whole", async () => {
    using folder = new TempFolder();
    await Bun.write(folder.join("repository/f"), random.bytes(2 * BLOCK + 77));
    await using server = new TestServer({
      storage: await LocalStorage.at(folder.join("repository")),
      maxClients: 20,
    });
    const expected = sha256Of(await Bun.file(folder.join("repository/f")).bytes());
    const digests = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        mkdirSync(folder.join(`${index}`));
        const told = await fetchAll(await server.tcpClient(), await LocalStorage.ofUser(folder.join(`${index}`)));
        expect(told.paths).toEqual(["f"]);
        return sha256Of(await Bun.file(folder.join(`${index}`, "f")).bytes());
      }),
    );
    expect(new Set(digests)).toEqual(new Set([expected]));
  });

  test("put different files into the same new folders at once", async () => {
    using folder = new TempFolder();
    await using server = new TestServer({ storage: await LocalStorage.at(folder.path), maxClients: 10 });
    const contents = Array.from({ length: 10 }, () => random.bytes(5_000));
    await Promise.all(
      contents.map(async (content, index) => {
        const storage = new MemoryStorage();
        storage.set(`a/b/c/${index}`, content, Date.now());
        expect((await sendAll(await server.tcpClient(), storage)).failed).toEqual([]);
      }),
    );
    for (const [index, content] of contents.entries()) {
      expect(await Bun.file(folder.join(`a/b/c/${index}`)).bytes()).toEqual(content);
    }
  });
});

describe.each([
  ["small", 3_000],
  ["large", 2 * BLOCK + 5],
])("two puts of the same %s file at once", (_, size) => {
  async function race(exists: ExistsPolicy) {
    using folder = new TempFolder();
    await using server = new TestServer({ storage: await LocalStorage.at(folder.path) });
    const contents = [random.bytes(size), random.bytes(size)];
    const clients = [await server.tcpClient(), await server.tcpClient()];
    const told = await Promise.all(
      contents.map(async (content, index) =>
        sendAll(clients[index] as Client, one(content, Date.now() + 1_000 * index), { exists }),
      ),
    );
    const digests = contents.map((content) => sha256Of(content));
    const stored = await Promise.all(
      told.map(async ({ done }) =>
        Promise.all(done.map(async ({ path }) => sha256Of(await Bun.file(folder.join(path)).bytes()))),
      ),
    );
    const final = sha256Of(await Bun.file(folder.join("f")).bytes());
    return { digests, told, stored, final };
  }

  test("one wins whole, and the other gets EXISTS or BUSY", async () => {
    for (let round = 0; round < 5; round++) {
      const { digests, told, stored } = await race("fail");
      const winner = told.findIndex(({ done }) => done.length === 1);
      expect(told[1 - winner]).toMatchObject({
        done: [],
        failed: [{ code: expect.stringMatching(/^(EXISTS|BUSY)$/) }],
      });
      expect(stored[winner]).toEqual([digests[winner] as string]);
    }
  });

  test("that overwrite leave one of both, whole", async () => {
    for (let round = 0; round < 5; round++) {
      const { digests, told, final } = await race("overwrite");
      const winners = told.flatMap(({ done }, index) => (done.length === 1 ? [digests[index]] : []));
      expect(winners).toContain(final);
      for (const { failed } of told) for (const { code } of failed) expect(code).toBe("BUSY");
    }
  });

  test("that keep both are both there under the names that were told", async () => {
    for (let round = 0; round < 5; round++) {
      const { digests, told, stored } = await race("rename");
      for (const [index, { done, failed }] of told.entries()) {
        if (done.length === 1) expect(stored[index]).toEqual([digests[index] as string]);
        else expect(failed).toMatchObject([{ code: "BUSY" }]);
      }
    }
  });
});

describe("a client that stops reading in the middle of a file", () => {
  test("holds up neither the messages nor the transfers of another, and then goes on", async () => {
    using folder = new TempFolder();
    await using server = new TestServer();
    const content = random.bytes(24 * BLOCK);
    server.storage.set("big", content, Date.now());
    await using stopped = await RawPeer.admitted(server.listen(), { credit: 64 * BLOCK });
    stopped.send(getting("big"), frame("END", undefined, 1));
    await stopped.next("DATA");
    stopped.pause();
    const honest = await server.tcpClient();
    for (let round = 0; round < 20; round++) expect((await honest.send(`${round}`)).text).toBe(`${round} ACK`);
    const local = await LocalStorage.ofUser(folder.path);
    expect((await fetchAll(honest, local, { paths: ["big"] })).paths).toEqual(["big"]);
    expect(sha256Of(await Bun.file(folder.join("big")).bytes())).toBe(sha256Of(content));
    expect((await sendAll(honest, one(random.bytes(3 * BLOCK)))).paths).toEqual(["f"]);
    expect(stopped.frames.some(({ name }) => name === "END")).toBe(false);
    stopped.resume();
    await stopped.next("END");
    const body = Buffer.concat(stopped.frames.filter(({ name }) => name === "DATA").map(({ payload }) => payload));
    const blocks = parseChunks(body).chunks.filter(({ name }) => name === "BLOCK");
    expect(sha256Of(Buffer.concat(blocks.map(({ payload }) => payload)))).toBe(sha256Of(content));
  });

  test("by its credit goes on when it grants more", async () => {
    await using server = new TestServer();
    const content = random.bytes(3 * BLOCK);
    server.storage.set("big", content, Date.now());
    await using slow = await RawPeer.admitted(server.listen(), { credit: 1_000 });
    slow.send(getting("big"), frame("END", undefined, 1));
    await slow.next("DATA");
    const honest = await server.tcpClient();
    expect((await honest.send("on")).text).toBe("on ACK");
    const grant = Buffer.alloc(4);
    grant.writeUInt32BE(4 * BLOCK);
    slow.send(frame("CREDIT", grant, 1));
    await slow.next("END");
    const body = Buffer.concat(slow.frames.filter(({ name }) => name === "DATA").map(({ payload }) => payload));
    const blocks = parseChunks(body).chunks.filter(({ name }) => name === "BLOCK");
    expect(sha256Of(Buffer.concat(blocks.map(({ payload }) => payload)))).toBe(sha256Of(content));
  });
});

describe("a file that is put again and again", () => {
  test("is read old or new, whole, or CHANGED; never a mix", async () => {
    using folder = new TempFolder();
    const contents = [random.bytes(4 * BLOCK), random.bytes(4 * BLOCK)] as const;
    await Bun.write(folder.join("repository/f"), contents[0]);
    const digests: string[] = contents.map((content) => sha256Of(content));
    await using server = new TestServer({ storage: await LocalStorage.at(folder.join("repository")) });
    const writer = await server.tcpClient();
    const reader = await server.tcpClient();
    let isWriting = true;
    const writing = (async () => {
      for (let round = 1; round <= 12; round++) {
        const told = await sendAll(writer, one(contents[round % 2] as Uint8Array, Date.now() + round), {
          clock: systemClock,
        });
        expect(told.failed).toEqual([]);
      }
      isWriting = false;
    })();
    const seen = { whole: 0, changed: 0 };
    for (let round = 0; isWriting; round++) {
      mkdirSync(folder.join(`${round}`));
      const local = await LocalStorage.ofUser(folder.join(`${round}`));
      const { done, failed } = await fetchAll(reader, local);
      if (done.length === 1) {
        expect(digests).toContain(sha256Of(await readWhole(local, "f")));
        seen.whole++;
      } else {
        expect(failed).toMatchObject([{ path: "f", code: "CHANGED" }]);
        await expect(local.stat("f")).rejects.toMatchObject({ code: "NO_SUCH_FILE" });
        seen.changed++;
      }
    }
    await writing;
    expect(seen.whole).toBeGreaterThan(0);
  });

  test("is one of both when a client that was away in the middle of it comes back", async () => {
    using folder = new TempFolder();
    const old = random.bytes(3 * BLOCK);
    const fresh = random.bytes(3 * BLOCK);
    mkdirSync(folder.join("local"));
    await Bun.write(folder.join("repository/f"), old);
    await using server = new TestServer({ storage: await LocalStorage.at(folder.join("repository")) });
    const local = await LocalStorage.ofUser(folder.join("local"));
    const first = await server.tcpClient();
    // The link is lost when the first block is there.
    const cut = fetchAll(first, local, { onProgress: () => void first.close(0) });
    await cut.catch(() => {});
    await sendAll(await server.tcpClient(), one(fresh));
    const told = await fetchAll(await server.tcpClient(), local);
    expect(told.paths).toEqual(["f"]);
    expect(sha256Of(await Bun.file(folder.join("local/f")).bytes())).toBe(sha256Of(fresh));
  });
});

describe("the cleaning of unfinished files", () => {
  test("leaves alone what is being stored, however old it says to be", async () => {
    const storage = new MemoryStorage();
    for (const name of ["a", "b"]) storage.set(name, random.bytes(3_000), 1_400_000_000_000);
    for (let round = 0; round < 40; round++) {
      using folder = new TempFolder();
      // It cleans when it starts, which is now.
      await using server = new TestServer({ storage: await LocalStorage.at(folder.path) });
      expect(await sendAll(await server.tcpClient(), storage)).toMatchObject({ failed: [], paths: ["a", "b"] });
    }
  });
});

test("a folder that somebody else has removed a moment ago is made again", async () => {
  using folder = new TempFolder();
  await using server = new TestServer({ storage: await LocalStorage.at(folder.path) });
  const client = await server.tcpClient();
  for (const name of ["d/1", "d/2", "d/3"]) {
    const storage = new MemoryStorage();
    storage.set(name, random.bytes(1_000), Date.now());
    expect((await sendAll(client, storage, { paths: [name] })).failed).toEqual([]);
    expect(await Bun.file(folder.join(name)).exists()).toBe(true);
    rmSync(folder.join("d"), { recursive: true });
  }
});

test("nothing of a put is seen under its name before it is whole", async () => {
  using folder = new TempFolder();
  await using server = new TestServer({ storage: await LocalStorage.at(folder.path) });
  const reader = await server.tcpClient();
  const seen = new Set<number>();
  let isDone = false;
  const content = random.bytes(6 * BLOCK);
  const putting = sendAll(await server.tcpClient(), one(content)).finally(() => {
    isDone = true;
  });
  await until(async () => {
    for await (const { size } of reader.list()) seen.add(size);
    return isDone;
  });
  await putting;
  for await (const { path, size } of reader.list()) {
    expect(path).toBe("f");
    seen.add(size);
  }
  expect([...seen]).toEqual([content.length]);
});
