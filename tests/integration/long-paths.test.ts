import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Client } from "../../lib/client/client.ts";
import { ERRORS } from "../../lib/errors.ts";
import { MAX_PATH_BYTES } from "../../lib/path.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import { codeOf } from "../support/fault.ts";
import { frame } from "../support/frames.ts";
import { admittedPeer } from "../support/limits.ts";
import type { MemoryPeer } from "../support/memory-peer.ts";
import { chunk, parseChunks, record } from "../support/raw-chunks.ts";
import { TestServer } from "../support/test-server.ts";
import { fetchAll, sendAll } from "../support/transfers.ts";
import { until } from "../support/until.ts";

/** A path of so many bytes, of components that a disk can hold. */
function pathOf(bytes: number): string {
  const folders = `${"d".repeat(200)}/`.repeat(Math.ceil(bytes / 201));
  return `${folders.slice(0, bytes - 1)}f`;
}

const LONGEST = pathOf(MAX_PATH_BYTES);
/** A byte too long, and as long as a record or a chunk may be. */
const TOO_LONG: [string, string][] = [
  ["a byte too long", pathOf(MAX_PATH_BYTES + 1)],
  ["sixty thousand bytes", pathOf(60_000)],
  ["too long in bytes, not in characters", "ü".repeat(4_000)],
];
const FACTS = { size: 3, modifiedAt: 0, executable: false, etag: "e" };

let server: TestServer;
let client: Client;

beforeEach(async () => {
  server = new TestServer();
  client = await server.client();
});

afterEach(() => server[Symbol.asyncDispose]());

const bodyOf = (peer: MemoryPeer) =>
  Buffer.concat(peer.frames.filter(({ name }) => name === "DATA").map(({ payload }) => payload));

describe.each(TOO_LONG)("a path of %s", (_, path) => {
  test("in a get fails that request, and the next one is answered", async () => {
    server.storage.set("a", Buffer.from("abc"));
    const peer = await admittedPeer(server);
    await peer.send(
      frame("OPEN", { method: "get", params: {} }, 1),
      frame("DATA", Buffer.concat([record({ id: 0, path }), record({ id: 1, path: "a" })]), 1),
    );
    await until(() => parseChunks(bodyOf(peer)).chunks.some(({ name }) => name === "SEAL"));
    const { chunks } = parseChunks(bodyOf(peer));
    expect(chunks.map(({ name, id }) => [name, id])).toEqual([
      ["FAIL", 0],
      ["FILE", 1],
      ["BLOCK", 1],
      ["SEAL", 1],
    ]);
    expect(chunks[0]?.json).toEqual({ code: ERRORS.BAD_PATH.wire, message: expect.stringContaining("4096 bytes") });
  });

  test("in a put fails that file or folder, and the next one is stored", async () => {
    const peer = await admittedPeer(server);
    await peer.send(
      frame("OPEN", { method: "put", params: {} }, 1),
      frame(
        "DATA",
        Buffer.concat([
          chunk("FILE", 0, { ...FACTS, path, exists: "fail" }),
          chunk("BLOCK", 0, Buffer.from("abc")),
          chunk("SEAL", 0),
          chunk("FOLDER", 1, { path }),
          chunk("FILE", 2, { ...FACTS, path: "a", exists: "fail" }),
          chunk("BLOCK", 2, Buffer.from("abc")),
          chunk("SEAL", 2),
        ]),
        1,
      ),
    );
    const answers = await until(() => {
      const records = bodyOf(peer).toString().split("\n").slice(0, -1);
      return records.length === 3 ? records.map((line) => JSON.parse(line)) : undefined;
    });
    expect(answers).toMatchObject([
      { id: 0, state: "failed", code: ERRORS.BAD_PATH.wire },
      { id: 1, state: "failed", code: ERRORS.BAD_PATH.wire },
      { id: 2, state: "done", path: "a" },
    ]);
    expect(peer.names).not.toContain("RESET");
  });

  test.each([
    ["stat", (at: string) => client.stat(at)],
    ["digest", (at: string) => client.digest(at)],
    ["remove", (at: string) => client.remove(at, true)],
    ["rename from", (at: string) => client.rename(at, "b", false)],
    ["rename to", (at: string) => client.rename("a", at, false)],
    ["list", (at: string) => client.list(at).next()],
    ["watch", (at: string) => client.watch(at).next()],
  ])("in %s is BAD_PATH", async (_method, call) => {
    server.storage.set("a", Buffer.from("abc"));
    expect(await codeOf(() => call(path))).toBe("BAD_PATH");
    expect(Object.keys(await client.stat("a"))).toContain("etag");
  });

  test("fails alone when our own client moves it", async () => {
    server.storage.set("a", Buffer.from("abc"));
    const paths = [path, "a"];
    const items = async function* () {
      yield paths.map((from) => ({ from, to: from.slice(0, 9), kind: "file" as const, size: 3, modifiedAt: 0 }));
    };
    const fetched = await fetchAll(client, new MemoryStorage(), { items });
    expect([fetched.codes, fetched.paths]).toEqual([["BAD_PATH"], ["a"]]);
  });
});

test("a path of as many bytes as a path may have is one, in every method", async () => {
  const local = new MemoryStorage();
  local.set(LONGEST, Buffer.from("abc"));
  expect((await sendAll(client, local)).failed).toEqual([]);
  expect((await client.stat(LONGEST)).size).toBe(3);
  expect((await client.digest(LONGEST)).size).toBe(3);
  expect(await Array.fromAsync(client.list(LONGEST))).toMatchObject([{ path: LONGEST }]);
  expect(await Array.fromAsync(client.list(LONGEST.slice(0, LONGEST.lastIndexOf("/"))))).toMatchObject([
    { path: LONGEST },
  ]);
  expect((await fetchAll(client, new MemoryStorage(), { paths: [LONGEST] })).paths).toEqual([LONGEST]);
  await client.rename(LONGEST, "b", false);
  await client.rename("b", LONGEST, false);
  await client.remove(LONGEST, false);
});

test("a pattern that is too long is BAD_PARAMS, as one that is too costly", async () => {
  for (const glob of ["*".padEnd(257, "a"), "*".padEnd(2_000, "a")]) {
    expect(await codeOf(() => client.list(glob).next())).toBe("BAD_PARAMS");
  }
});
