import { describe, expect, test } from "bun:test";
import { existsSync, truncateSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { EXIT_OF } from "../../lib/cli/exit-codes.ts";
import { ERRORS } from "../../lib/errors.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import { Folders } from "../support/folder-transfer.ts";
import { frame } from "../support/frames.ts";
import { Random } from "../support/random.ts";
import { BLOCK, chunk, parseChunks, type RawChunk, record } from "../support/raw-chunks.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { RawTransfers } from "../support/raw-transfers.ts";
import { noSmallDisk, SmallDisk, smallDiskTest } from "../support/small-disk.ts";
import { TestServer } from "../support/test-server.ts";
import { fetchAll } from "../support/transfers.ts";
import { until } from "../support/until.ts";

const random = new Random("huge files");

describe("a file above 16 TiB", () => {
  const size = 2 ** 44 + 1;
  const path = "too large";

  test("is refused with TOO_LARGE by a put before any of it is asked for, and the next file comes", async () => {
    await using server = new TestServer();
    await using peer = await RawPeer.admitted(server.listen());
    const facts = { exists: "fail", modifiedAt: 1, executable: false, etag: "e" };
    const small = [
      chunk("FILE", 1, { path: "f", size: 3, ...facts }),
      chunk("BLOCK", 1, Buffer.from("abc")),
      chunk("SEAL", 1),
    ];
    peer.send(
      frame("OPEN", { method: "put", params: {} }, 1),
      frame("DATA", chunk("FILE", 0, { path, size, ...facts }), 1),
      frame("DATA", Buffer.concat(small), 1),
      frame("END", undefined, 1),
    );
    await peer.next("END");
    const body = Buffer.concat(peer.frames.filter(({ name }) => name === "DATA").map(({ payload }) => payload));
    const answers = body.toString().trim().split("\n");
    expect(answers.map((line) => JSON.parse(line))).toEqual([
      {
        id: 0,
        state: "failed",
        code: 55,
        message: '"too large" has 18 TB; a file can have 16 TiB at most.',
      },
      { id: 1, state: "done", path: "f", outcome: "stored" },
    ]);
    // The client is told all, and the operator needs to know nothing.
    expect(server.events.filter(({ event }) => event === "failed")).toEqual([]);
  });

  test("is not even asked for by a get, which fails it by name and fetches the others", async () => {
    await using server = new TestServer();
    server.storage.set("f", new Uint8Array(3));
    server.storage.set(path, new Uint8Array(2 * BLOCK));
    const list = server.storage.list.bind(server.storage);
    server.storage.list = async function* (...args) {
      for await (const batch of list(...args)) {
        yield batch.map((entry) => (entry.path === path ? { ...entry, size } : entry));
      }
    };
    let opened = 0;
    server.storage.open = async () => {
      opened++;
      throw new Error("nothing is to be opened");
    };
    const told = await fetchAll(await server.client(), new MemoryStorage(), { exists: "fail" });
    expect(told.paths).toEqual(["f"]);
    expect(told.failed).toMatchObject([{ path, code: "TOO_LARGE" }]);
    expect([opened, EXIT_OF.TOO_LARGE]).toEqual([0, 9]);
  });
});

describe("a file above 4 GiB", () => {
  const huge = 4 * 1024 * BLOCK + 3 * BLOCK + 17;
  const last = 4 * 1024 * BLOCK + 3 * BLOCK;

  function blocksOf(peer: RawPeer): RawChunk[] {
    const body = Buffer.concat(peer.frames.filter(({ name }) => name === "DATA").map(({ payload }) => payload));
    return parseChunks(body).chunks;
  }

  test("is served from beyond 4 GiB on", async () => {
    using folders = new Folders(new Uint8Array(0));
    truncateSync(folders.file, huge);
    const tail = random.bytes(BLOCK + 17);
    const file = await open(folders.file, "r+");
    await file.write(tail, 0, tail.length, last - BLOCK);
    await file.close();
    await using server = new TestServer({ storage: await LocalStorage.at(folders.from) });
    await using peer = await RawPeer.admitted(server.listen(), { credit: 8 * BLOCK });
    const requests = [
      record({ id: 0, path: "f", offset: last - BLOCK }),
      record({ id: 1, path: "f", offset: last, length: 5 }),
      record({ id: 4_000_000_000, path: "f", offset: last + BLOCK }),
    ];
    peer.send(
      frame("OPEN", { method: "get", params: {} }, 1),
      frame("DATA", Buffer.concat(requests), 1),
      frame("END", undefined, 1),
    );
    await peer.next("END");
    const chunks = blocksOf(peer);
    expect(
      chunks.map(({ name, id, offset, payload }) => [name, id, offset, name === "FILE" ? 0 : payload.length]),
    ).toEqual([
      ["FILE", 0, 0, 0],
      ["BLOCK", 0, last - BLOCK, BLOCK],
      ["BLOCK", 0, last, 17],
      ["SEAL", 0, 0, 0],
      ["FILE", 1, 0, 0],
      ["BLOCK", 1, last, 5],
      ["SEAL", 1, 0, 0],
      ["FAIL", 4_000_000_000, 0, expect.any(Number)],
    ] as never);
    expect(chunks[0]?.json.size).toBe(huge);
    expect(Buffer.concat([chunks[1]?.payload ?? Buffer.alloc(0), chunks[2]?.payload ?? Buffer.alloc(0)])).toEqual(
      Buffer.from(tail),
    );
    // Each is as the naive codec would have sent it, with its digest.
    for (const { name, id, offset, payload, bytes } of chunks) {
      if (name !== "?") expect(bytes.equals(chunk(name, id, payload, offset))).toBe(true);
    }
  });

  test("is taken from beyond 4 GiB on, and that is remembered", async () => {
    using folders = new Folders();
    await using server = new TestServer({
      storage: await LocalStorage.at(folders.to),
      limits: { credit: 8 * BLOCK, maxStreams: 8 },
    });
    const port = server.listen();
    const facts = { path: "f", exists: "fail", size: huge, modifiedAt: 1, executable: false, etag: "e" };
    const ask = async (...more: Buffer[]) => {
      const peer = await RawPeer.admitted(port);
      peer.send(frame("OPEN", { method: "put", params: {} }, 1));
      for (const bytes of [chunk("FILE", 0, facts), ...more]) {
        for (let at = 0; at < bytes.length; at += BLOCK) peer.send(frame("DATA", bytes.subarray(at, at + BLOCK), 1));
      }
      const answer = JSON.parse((await peer.next("DATA")).payload.toString());
      peer.abort();
      await until(() => server.server.members.clients.length === 0);
      return answer;
    };
    const end = random.bytes(17);
    const before = random.bytes(BLOCK);
    const blocks = [chunk("BLOCK", 0, end, last), chunk("BLOCK", 0, before, last - 2 * BLOCK)];
    expect(await ask(...blocks)).toEqual({ id: 0, state: "ready", ranges: [[0, huge]] });
    // Told at once when it is asked again: the first link may have been cut before the second block had come.
    const again = await until(async () => {
      const answer = await ask(...blocks);
      return answer.ranges?.length === 2 && answer;
    });
    expect(again).toEqual({
      id: 0,
      state: "ready",
      ranges: [
        [0, last - 2 * BLOCK],
        [last - BLOCK, last],
      ],
    });
    expect(existsSync(`${folders.to}/f`)).toBe(false);
  });
});

describe("a file above 2^52 bytes", () => {
  const check = test.skipIf(noSmallDisk !== undefined);

  check(smallDiskTest("has no numbers for its blocks: TOO_LARGE, and the next file comes"), async () => {
    using disk = new SmallDisk(65_536);
    Bun.spawnSync(["truncate", "-s", "5P", disk.join("huge")]);
    writeFileSync(disk.join("next"), "abc");
    await using server = new TestServer({ storage: await LocalStorage.at(disk.path) });
    await using peer = await RawPeer.admitted(server.listen(), { credit: 8 * BLOCK });
    const chunks = await new RawTransfers(peer).get(
      { id: 1, path: "huge" },
      { id: 2, path: "huge", offset: 2 ** 52, length: 5 },
      { id: 3, path: "next" },
    );
    expect(chunks.map(({ name, id }) => `${name} ${id}`)).toEqual(["FAIL 1", "FAIL 2", "FILE 3", "BLOCK 3", "SEAL 3"]);
    expect(chunks.slice(0, 2).map(({ json }) => json.code)).toEqual([ERRORS.TOO_LARGE.wire, ERRORS.TOO_LARGE.wire]);
  });
});
