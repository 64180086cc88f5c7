/** What PROTOCOL.md says of bodies that end early, of numbers, and of what is at a path: by hand, over a folder. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { ERRORS, type ErrorCode } from "../../lib/errors.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { frame } from "../support/frames.ts";
import { BLOCK, chunk, record } from "../support/raw-chunks.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { RawTransfers } from "../support/raw-transfers.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestServer } from "../support/test-server.ts";
import { noise } from "../support/transport-recorder.ts";

const LARGE = noise(2 * BLOCK + 5, 3);
const SMALL = noise(9, 4);
const wire = (code: ErrorCode) => ERRORS[code].wire as number;

let folder: TempFolder;
let server: TestServer;
let peers: RawPeer[];
let raw: RawTransfers;

async function another(): Promise<RawTransfers> {
  const peer = await RawPeer.admitted(server.listen(), { credit: 8 * BLOCK });
  peers.push(peer);
  return new RawTransfers(peer);
}

beforeEach(async () => {
  folder = new TempFolder();
  peers = [];
  server = new TestServer({
    storage: await LocalStorage.at(folder.path),
    limits: { credit: 4 * BLOCK, maxStreams: 64 },
  });
  raw = await another();
});

afterEach(async () => {
  for (const peer of peers) await peer[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const offer = (id: number, path: string, content: Uint8Array, changes: object = {}) =>
  chunk("FILE", id, {
    path,
    exists: "fail",
    size: content.length,
    modifiedAt: 1_700_000_000_123,
    executable: false,
    etag: "e",
    ...changes,
  });
const blocks = (id: number, content: Uint8Array, from = 0) =>
  Array.from({ length: Math.ceil(content.length / BLOCK) - from }, (_, at) => {
    const offset = (from + at) * BLOCK;
    return chunk("BLOCK", id, content.subarray(offset, offset + BLOCK), offset);
  });
const hidden = () => readdirSync(folder.path).filter((name) => name.includes("commserver-"));

describe("a body that is not there, or ends early", () => {
  test.each(["get", "put"])("OPEN of %s with END is answered with ACCEPT, and an end", async (method) => {
    const stream = raw.open(method, {}, true);
    expect(await raw.outcome(stream)).toBe("ended");
    expect(raw.frames(stream, "ACCEPT")).toMatchObject([{ flags: 0, json: {} }]);
    expect(raw.body(stream)).toHaveLength(0);
  });

  test.each([
    ["get", "a request", Buffer.from('{"id":1,"path":"a"}')],
    ["put", "the header of a chunk", chunk("SEAL", 1).subarray(0, 23)],
    ["put", "the payload of a chunk", offer(1, "a", SMALL).subarray(0, 40)],
  ])("that of %s within %s is BAD_PAYLOAD", async (method, _, part) => {
    const stream = raw.open(method);
    raw.send(stream, part);
    raw.end(stream);
    expect(await raw.outcome(stream)).toBe(wire("BAD_PAYLOAD"));
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test("with a trailer that nobody knows is an end like any other", async () => {
    const stream = raw.open("put");
    raw.send(stream, offer(1, "a", SMALL), ...blocks(1, SMALL), chunk("SEAL", 1));
    raw.peer.send(frame("END", Buffer.from(' {"later":[1,{}]} '), stream));
    expect(await raw.outcome(stream)).toBe("ended");
    expect(raw.records(stream)).toMatchObject([{ id: 1, state: "done" }]);
  });

  test("before its SEALs leaves the files unanswered and unstored; a large one goes on in another session", async () => {
    const stream = raw.open("put");
    raw.send(stream, offer(1, "small", SMALL), ...blocks(1, SMALL), offer(2, "large", LARGE));
    await raw.answer(stream, 2);
    raw.send(stream, ...blocks(2, LARGE, 1));
    raw.end(stream);
    expect(await raw.outcome(stream)).toBe("ended");
    expect(raw.records(stream).map(({ id, state }) => `${id} ${state}`)).toEqual(["2 ready"]);
    expect(readdirSync(folder.path).filter((name) => !name.includes("commserver-"))).toEqual([]);
    const other = await another();
    const again = other.open("put");
    other.send(again, offer(1, "large", LARGE, { executable: true, exists: "overwrite" }));
    expect((await other.answer(again, 1)).ranges).toEqual([[0, BLOCK]]);
    other.send(again, chunk("BLOCK", 1, LARGE.subarray(0, BLOCK)), chunk("SEAL", 1));
    expect(await other.answer(again, 1, 2)).toMatchObject({ state: "done", outcome: "stored" });
    expect(readFileSync(folder.join("large")).equals(LARGE)).toBe(true);
    // What the last FILE says.
    expect(statSync(folder.join("large")).mode & 0o100).toBe(0o100);
    expect(hidden()).toEqual([]);
  });
});

describe("requests of a get", () => {
  test.each([
    ["the same number", [3, 3]],
    ["a lower number", [3, 2]],
  ])("with %s end the stream with BAD_PAYLOAD", async (_, ids) => {
    writeFileSync(folder.join("a"), "abc");
    const stream = raw.open("get");
    for (const id of ids) raw.send(stream, record({ id, path: "a" }));
    expect(await raw.outcome(stream)).toBe(wire("BAD_PAYLOAD"));
  });

  test.each([
    ["a member twice", '{"id":1,"path":"a","path":"b"}\n'],
    ["a line feed inside", '{"id":1,\n"path":"a"}\n'],
    ["no object", "[]\n"],
    ["nothing", "\n"],
    ["no path", '{"id":1}\n'],
    ["a number above 32 bits", '{"id":4294967296,"path":"a"}\n'],
    ["a negative offset", '{"id":1,"path":"a","offset":-1048576}\n'],
  ])("that have %s end the stream with BAD_PAYLOAD, and not the session", async (_, text) => {
    const stream = raw.open("get");
    raw.send(stream, Buffer.from(text));
    expect(await raw.outcome(stream)).toBe(wire("BAD_PAYLOAD"));
    expect(await raw.call("stat", { path: "a" })).toBe(wire("NOT_FOUND"));
  });

  test("of several faults tell the first: of the path, of what is there, of the etag, of the offset", async () => {
    writeFileSync(folder.join("a"), "abc");
    mkdirSync(folder.join("docs"));
    const odd = { etag: "another", offset: 5 };
    const chunks = await raw.get(
      { id: 1, path: "../a", ...odd },
      { id: 2, path: "none", ...odd },
      { id: 3, path: "docs", ...odd },
      { id: 4, path: "a", ...odd },
      { id: 5, path: "a", offset: 5 },
    );
    const codes = ["BAD_PATH", "NOT_FOUND", "NOT_A_FILE", "CHANGED", "BAD_PARAMS"] as const;
    expect(chunks.map(({ name, id, json }) => [name, id, json.code])).toEqual(
      codes.map((code, at) => ["FAIL", at + 1, wire(code)]),
    );
  });
});

describe("a put whose folder goes while it runs", () => {
  /** Begin a large file in `docs`, let the other session do that, and send the rest. */
  async function putWhile(what: (other: RawTransfers) => Promise<unknown>): Promise<any> {
    mkdirSync(folder.join("docs"));
    const stream = raw.open("put");
    raw.send(stream, offer(1, "docs/large", LARGE));
    await raw.answer(stream, 1);
    raw.send(stream, blocks(1, LARGE)[0] as Buffer);
    expect(await what(await another())).toEqual({});
    raw.send(stream, ...blocks(1, LARGE, 1), chunk("SEAL", 1));
    const answer = await raw.answer(stream, 1, 2);
    raw.end(stream);
    expect(await raw.outcome(stream)).toBe("ended");
    return answer;
  }

  test("by a rename is failed with NOT_FOUND, and is at neither path", async () => {
    const answer = await putWhile((other) => other.call("rename", { from: "docs", to: "moved" }));
    expect(answer).toMatchObject({ state: "failed", code: wire("NOT_FOUND") });
    expect(readdirSync(folder.path)).toEqual(["moved"]);
    expect(existsSync(folder.join("moved/large"))).toBe(false);
  });

  test("by a rename, with another folder in its place, is not put into that one either", async () => {
    const answer = await putWhile(async (other) => {
      await other.call("rename", { from: "docs", to: "moved" });
      mkdirSync(folder.join("docs"));
      return {};
    });
    expect(answer).toMatchObject({ state: "failed", code: wire("NOT_FOUND") });
    expect(readdirSync(folder.join("docs"))).toEqual([]);
  });

  test("by a removal is failed with NOT_FOUND, and nothing of it is left", async () => {
    const answer = await putWhile((other) => other.call("remove", { path: "docs", recursive: true }));
    expect(answer).toMatchObject({ state: "failed", code: wire("NOT_FOUND") });
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test("and comes back at the same path is done: it is where it was begun", async () => {
    const answer = await putWhile(async (other) => {
      await other.call("rename", { from: "docs", to: "moved" });
      return other.call("rename", { from: "moved", to: "docs" });
    });
    expect(answer).toMatchObject({ state: "done", path: "docs/large" });
    expect(readFileSync(folder.join("docs/large")).equals(LARGE)).toBe(true);
  });
});

describe("what is in place of a folder above the path", () => {
  const OBSTACLES: Record<string, () => void> = {
    file: () => writeFileSync(folder.join("there"), "x"),
    "a link to a file": () => {
      writeFileSync(folder.join("file"), "x");
      symlinkSync("file", folder.join("there"));
    },
    "a link to nowhere": () => symlinkSync("nowhere", folder.join("there")),
    "a link to itself": () => symlinkSync("there", folder.join("there")),
    "a pipe": () => void Bun.spawnSync(["mkfifo", folder.join("there")]),
  };

  test.each(Object.keys(OBSTACLES))(
    "%s is EXISTS for files and folders of any kind, and nothing is made",
    async (what) => {
      OBSTACLES[what]?.();
      const before = readdirSync(folder.path);
      const stream = raw.open("put");
      let id = 0;
      for (const exists of ["fail", "skip", "overwrite", "rename"]) {
        for (const content of [SMALL, LARGE]) {
          raw.send(stream, offer(++id, "there/deep/a", content, { exists }));
          if (content === SMALL) raw.send(stream, ...blocks(id, SMALL), chunk("SEAL", id));
        }
      }
      raw.send(stream, chunk("FOLDER", ++id, { path: "there/deep" }), chunk("FOLDER", ++id, { path: "there" }));
      raw.end(stream);
      expect(await raw.outcome(stream)).toBe("ended");
      const told = raw.records(stream).map(({ id: number, state, code }) => `${number} ${state} ${code}`);
      expect(told.sort()).toEqual(Array.from({ length: id }, (_, at) => `${at + 1} failed ${wire("EXISTS")}`).sort());
      expect(readdirSync(folder.path)).toEqual(before);
    },
  );
});
