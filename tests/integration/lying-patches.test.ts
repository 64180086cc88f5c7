/** Patches and offers of peers that lie. */
import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES, PIECE_BYTES } from "../../lib/block.ts";
import { ERRORS } from "../../lib/errors.ts";
import { blockTag } from "../../lib/storage/local/block-tag.ts";
import type { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import { codeOf } from "../support/fault.ts";
import { frame, type RawFrame } from "../support/frames.ts";
import { clientOf, type HostileLink, HostileServer } from "../support/hostile-server.ts";
import { downloading, uploading } from "../support/moving.ts";
import { chunk, parseChunks, record } from "../support/raw-chunks.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { RawTransfers } from "../support/raw-transfers.ts";
import { readWhole } from "../support/repository.ts";
import { TestServer } from "../support/test-server.ts";
import { noise } from "../support/transport-recorder.ts";
import { until } from "../support/until.ts";

const OLD = noise(2 * BLOCK_BYTES + 5, 3);
const NEW = noise(2 * BLOCK_BYTES + 5, 4);
const FACTS = { size: NEW.length, modifiedAt: 9, executable: false, etag: "e" };
const REUSE = { exists: "overwrite", blockTag } as const;
const WELCOME = { capabilities: ["working", "patches"] };
const KEY = Buffer.alloc(16, 7).toString("base64");

const patch = (id: number, bytes: Uint8Array, offset = 0) =>
  chunk("PATCH", id, Buffer.concat([bytes, Buffer.alloc(24)]), offset);

function say(link: HostileLink, stream: number, ...parts: Buffer[]): void {
  const bytes = Buffer.concat(parts);
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    link.say(frame("DATA", bytes.subarray(at, at + BLOCK_BYTES), stream));
  }
}

/** A download onto OLD, from a server that answers each first record of a request. */
async function fetchFrom(answer: (request: any, stream: number, link: HostileLink) => void, options: object = REUSE) {
  let rest = "";
  using server = new HostileServer(({ name, stream, payload }: RawFrame, link) => {
    if (name === "OPEN") link.say(frame("ACCEPT", {}, stream));
    if (name === "END") link.cut();
    if (name !== "DATA") return;
    const lines = (rest + payload.toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const request = JSON.parse(line);
      if (request.offset !== undefined) answer(request, stream, link);
    }
  }, WELCOME);
  await using moved = downloading({
    ...options,
    source: async function* () {
      yield { from: "a", to: "a", kind: "file", size: NEW.length, modifiedAt: 9 };
    },
  });
  moved.local.set("a", OLD, 5);
  const code = await codeOf(async () => moved.transfer.run(await clientOf(server)));
  expect((await readWhole(moved.local, "a")).equals(OLD)).toBe(true);
  return code;
}

describe("a server that sends patches", () => {
  test("of which nothing was offered is left", async () => {
    const send = ({ id, key }: any, stream: number, link: HostileLink) => {
      expect(key).toBeUndefined();
      say(link, stream, chunk("FILE", id, FACTS), patch(id, Buffer.alloc(0)));
    };
    expect(await fetchFrom(send, { exists: "overwrite" })).toBe("BAD_PAYLOAD");
  });

  test("that are none is left", async () => {
    expect(
      await fetchFrom(({ id }, stream, link) =>
        say(link, stream, chunk("FILE", id, FACTS), patch(id, Buffer.alloc(9))),
      ),
    ).toBe("BAD_PAYLOAD");
  });

  test("of a file of one block is left", async () => {
    const facts = { ...FACTS, size: 24 };
    expect(
      await fetchFrom(({ id }, stream, link) =>
        say(link, stream, chunk("FILE", id, facts), patch(id, Buffer.alloc(0))),
      ),
    ).toBe("BAD_PAYLOAD");
  });

  test("with wrong tags is asked for whole blocks, five times, and then the file has failed", async () => {
    let whole = 0;
    const code = await fetchFrom(({ id, key }, stream, link) => {
      const blocks = [0, 1, 2].map((at) => patch(id, Buffer.alloc(0), at * BLOCK_BYTES));
      if (key === undefined) whole++;
      say(link, stream, chunk("FILE", id, FACTS), ...(key === undefined ? [] : blocks), chunk("SEAL", id));
      if (whole === 5) link.cut();
    });
    expect([code, whole]).toEqual(["LOST", 5]);
  });

  test("again and again is left after as many as it may send blocks", async () => {
    let sent = 0;
    const code = await fetchFrom(({ id }, stream, link) => {
      say(link, stream, chunk("FILE", id, FACTS));
      void link.flood(() => {
        sent++;
        return frame("DATA", patch(id, Buffer.alloc(0)), stream);
      });
    });
    expect([code, sent > 20]).toEqual(["BAD_PAYLOAD", true]);
  });
});

describe("a server that offers pieces", () => {
  const pieces = Buffer.alloc(256).toString("base64");
  const offer = (id: number, offset: number) => record({ id, state: "pieces", offset, key: KEY, pieces });

  async function sendTo(answer: (id: number) => Buffer[], options: object = REUSE) {
    let come = Buffer.alloc(0);
    using server = new HostileServer(({ name, stream, payload }: RawFrame, link) => {
      if (name === "OPEN") link.say(frame("ACCEPT", {}, stream));
      if (name === "END") link.cut();
      if (name !== "DATA") return;
      const isFirst = come.length === 0;
      come = Buffer.concat([come, payload]);
      if (isFirst) say(link, stream, ...answer(parseChunks(come).chunks[0]?.id ?? 0));
    }, WELCOME);
    await using moved = uploading(options);
    moved.local.set("a", NEW, 9);
    return await codeOf(async () => moved.transfer.run(await clientOf(server)));
  }

  test.each([
    ["that were not asked for", (id: number) => [offer(id, 0)], { exists: "fail", blockTag }],
    ["of no block", (id: number) => [record({ id, state: "pieces", offset: 0, key: KEY, pieces: "" })], REUSE],
    ["of a part of a block", (id: number) => [offer(id, 5)], REUSE],
    ["of a block beyond the file", (id: number) => [offer(id, 3 * BLOCK_BYTES)], REUSE],
    ["of a block twice", (id: number) => [offer(id, 0), offer(id, 0)], REUSE],
    ["in another order", (id: number) => [offer(id, BLOCK_BYTES), offer(id, 0)], REUSE],
    ["after it was ready", (id: number) => [record({ id, state: "ready", ranges: [] }), offer(id, 0)], REUSE],
    ["with too short a key", (id: number) => [record({ id, state: "pieces", offset: 0, key: "AAAA", pieces })], REUSE],
  ])("%s is left", async (_, answer, options) => {
    expect(await sendTo(answer, options)).toBe("BAD_PAYLOAD");
  });
});

describe("a client that offers pieces", () => {
  async function serverWith(content: Uint8Array) {
    const server = new TestServer();
    (server.storage as MemoryStorage).set("a", content, 9);
    const peer = await RawPeer.admitted(server.listen(), { credit: 8 * BLOCK_BYTES, capabilities: ["patches"] });
    return { server, peer, raw: new RawTransfers(peer) };
  }
  const digest = (at: number) => {
    const bytes = Buffer.alloc(4);
    const piece = NEW.subarray(at * PIECE_BYTES, (at + 1) * PIECE_BYTES);
    bytes.writeUInt32BE(Number(Bun.hash.xxHash3(piece, BigInt(Math.floor(at / 64))) & 0xffff_ffffn));
    return bytes;
  };
  const offered = (from: number, count: number) =>
    Buffer.concat(Array.from({ length: count }, (_, at) => digest(from + at))).toString("base64");

  test("gets patches of what it offers, and blocks of the rest", async () => {
    const { server, peer, raw } = await serverWith(NEW);
    await using _ = server;
    await using __ = peer;
    const chunks = await raw.get(
      { id: 1, path: "a", key: KEY, pieces: offered(0, 64), more: true },
      { id: 1, path: "a", pieces: offered(64, 3) },
      { id: 2, path: "a", length: 0 },
    );
    expect(chunks.map(({ id, name, offset, payload }) => `${id} ${name} ${offset} ${payload.length > 100}`)).toEqual([
      "1 FILE 0 false",
      "1 PATCH 0 false",
      `1 PATCH ${BLOCK_BYTES} true`,
      `1 BLOCK ${2 * BLOCK_BYTES} false`,
      "1 SEAL 0 false",
      "2 FILE 0 false",
      "2 SEAL 0 false",
    ]);
    expect(chunks[2]?.payload.length).toBe(61 * PIECE_BYTES + 24);
  });

  test("of a file that can't be fetched has its other requests answered", async () => {
    const { server, peer, raw } = await serverWith(NEW);
    await using _ = server;
    await using __ = peer;
    const chunks = await raw.get(
      { id: 1, path: "b", key: KEY, more: true },
      { id: 1, path: "b", pieces: offered(0, 64), more: true },
      { id: 1, path: "b" },
      { id: 2, path: "a", length: 0 },
    );
    expect(chunks.map(({ id, name }) => `${id} ${name}`)).toEqual(["1 FAIL", "2 FILE", "2 SEAL"]);
  });

  test("of more than the file has gets the file", async () => {
    const { server, peer, raw } = await serverWith(NEW.subarray(0, BLOCK_BYTES + 5));
    await using _ = server;
    await using __ = peer;
    const all = offered(0, 128);
    const chunks = await raw.get(
      { id: 1, path: "a", key: KEY, pieces: all, more: true },
      { id: 1, path: "a", pieces: all },
    );
    expect(chunks.map(({ name, offset }) => `${name} ${offset}`)).toEqual([
      "FILE 0",
      "PATCH 0",
      `BLOCK ${BLOCK_BYTES}`,
      "SEAL 0",
    ]);
  });

  test.each([
    [
      "and asks for another file before their end",
      [
        { id: 1, path: "a", key: KEY, more: true },
        { id: 2, path: "a" },
      ],
    ],
    ["and ends before them", [{ id: 1, path: "a", key: KEY, more: true }]],
    ["of a missing file, and ends before them", [{ id: 1, path: "b", key: KEY, more: true }]],
    ["under no key", [{ id: 1, path: "a", key: "AAAA" }]],
    ["that are not base64", [{ id: 1, path: "a", key: KEY, pieces: "!" }]],
    ["that are too many", [{ id: 1, path: "a", key: KEY, pieces: Buffer.alloc(8_196).toString("base64") }]],
  ])("%s is left", async (_, requests) => {
    const { server, peer, raw } = await serverWith(NEW);
    await using __ = server;
    await using ___ = peer;
    const stream = raw.open("get");
    raw.send(stream, Buffer.concat(requests.map(record)));
    raw.end(stream);
    expect(await raw.outcome(stream)).toBe(ERRORS.BAD_PAYLOAD.wire as number);
  });

  test("does not get patches without the capability", async () => {
    await using server = new TestServer();
    (server.storage as MemoryStorage).set("a", NEW, 9);
    await using peer = await RawPeer.admitted(server.listen(), { credit: 8 * BLOCK_BYTES });
    const raw = new RawTransfers(peer);
    const chunks = await raw.get({ id: 1, path: "a", key: KEY, pieces: offered(0, 64) });
    expect(chunks.map(({ name }) => name)).toEqual(["FILE", "BLOCK", "BLOCK", "BLOCK", "SEAL"]);
    const stream = raw.open("put");
    raw.send(stream, chunk("FILE", 1, { path: "a", older: "a", exists: "overwrite", ...FACTS, modifiedAt: 10 }));
    expect(await until(() => raw.records(stream)[0])).toMatchObject({ state: "ready" });
  });
});
