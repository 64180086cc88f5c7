/** The digests of many files: one stream, no call each. PROTOCOL.md, "get". */
import { describe, expect, test } from "bun:test";
import type { Client } from "../../lib/client/client.ts";
import { digestAll } from "../../lib/client/digests.ts";
import { systemClock } from "../../lib/session/clock.ts";
import { digest64 } from "../../lib/storage/digest64.ts";
import { FakeClock, settle } from "../support/fake-clock.ts";
import { frame } from "../support/frames.ts";
import { type Answer, clientOf, HostileServer } from "../support/hostile-server.ts";
import { codeOf, rejection, watch } from "../support/outcomes.ts";
import { BLOCK, chunk } from "../support/raw-chunks.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { RawTransfers } from "../support/raw-transfers.ts";
import { TestServer } from "../support/test-server.ts";
import { sha256Of } from "../support/transfers.ts";
import { until } from "../support/until.ts";

const COUNT = 300;
/** Its number in the table of errors. */
const NOT_FOUND = 34;
const facts = { size: 3, modifiedAt: 0, executable: false, etag: "e", sha256: "0".repeat(64) };

/** What was told, in its order. */
async function asked(client: Client, paths: readonly string[], clock = systemClock): Promise<[string, string][]> {
  const told: [string, string][] = [];
  await digestAll(client, paths, {
    clock,
    digest64,
    onDigest: (path, { sha256 }) => void told.push([path, sha256]),
    onFailed: (path, { code }) => void told.push([path, code]),
  });
  return told;
}

/** A server that accepts, and answers each request of a `get`. */
function answering(
  answer: (request: { id: number; path: string }, times: number) => Uint8Array[],
  ends = true,
): Answer {
  let times = 0;
  return ({ name, stream, payload }, link) => {
    if (name === "OPEN") link.say(frame("ACCEPT", {}, stream));
    if (name === "END" && ends) link.say(frame("END", undefined, stream));
    if (name !== "DATA") return;
    for (const line of payload.toString().trim().split("\n")) {
      link.say(...answer(JSON.parse(line), times++).map((bytes) => frame("DATA", bytes, stream)));
    }
  };
}

const withDigests = { capabilities: ["working", "digests"] };

describe("digestAll()", () => {
  test("tells the digests of hundreds of files in their order, however few calls a second are allowed", async () => {
    await using server = new TestServer({ callRates: { messages: 1, lists: 1, pages: 1 } });
    const files = Array.from({ length: COUNT }, (_, index) => [`f${index}`, Buffer.from(`file ${index}`)] as const);
    for (const [path, content] of files) server.storage.set(path, content);
    const told = await asked(
      await server.client(),
      files.map(([path]) => path),
    );
    expect(told).toEqual(files.map(([path, content]) => [path, sha256Of(content)]));
  });

  test("tells which of them have none, and goes on", async () => {
    await using server = new TestServer();
    server.storage.set("a", Buffer.from("a"));
    server.storage.set("docs/b", Buffer.from("b"));
    expect(await asked(await server.client(), ["none", "a", "../x", "docs", "docs/b"])).toEqual([
      ["none", "NOT_FOUND"],
      ["a", sha256Of(Buffer.from("a"))],
      ["../x", "BAD_PATH"],
      ["docs", "NOT_A_FILE"],
      ["docs/b", sha256Of(Buffer.from("b"))],
    ]);
  });

  test("calls for each at a server that does not know how", async () => {
    using server = new HostileServer(({ name, stream }, link) => {
      if (name === "OPEN") link.say(frame("ACCEPT", facts, stream, 1));
    });
    expect(await asked(await clientOf(server), ["a", "b"])).toEqual([
      ["a", facts.sha256],
      ["b", facts.sha256],
    ]);
    const opened = server.heard.filter(({ name }) => name === "OPEN").map(({ payload }) => JSON.parse(`${payload}`));
    expect(opened.map(({ method }) => method)).toEqual(["digest", "digest"]);
  });

  test("goes on at such a server after a file without a digest, and ends with its link", async () => {
    using server = new HostileServer(({ name, stream, payload }, link) => {
      if (name !== "OPEN") return;
      const { path } = JSON.parse(`${payload}`).params;
      if (path === "none") link.say(frame("RESET", { code: NOT_FOUND, message: "There is none." }, stream));
      else if (path === "cut") link.cut();
      else link.say(frame("ACCEPT", facts, stream, 1));
    });
    const told: string[] = [];
    const slow = Promise.withResolvers<void>();
    const outcome = watch(
      digestAll(await clientOf(server), ["none", "a", "cut", "b"], {
        clock: systemClock,
        digest64,
        onDigest(path) {
          told.push(path);
          return slow.promise;
        },
        onFailed: (path, { code }) => void told.push(`${path} ${code}`),
      }),
    );
    await until(() => told.length === 2);
    await settle();
    // Nothing is asked for before what was told has been taken.
    expect(server.heard.filter(({ name }) => name === "OPEN")).toHaveLength(2);
    slow.resolve();
    await until(() => outcome.state === "rejected");
    expect(told).toEqual(["none NOT_FOUND", "a"]);
    expect(codeOf(outcome)).toBe("LOST");
  });

  test("gives each digest to its taker one after the other", async () => {
    await using server = new TestServer();
    for (const path of ["a", "b"]) server.storage.set(path, Buffer.from(path));
    const told: string[] = [];
    const slow = Promise.withResolvers<void>();
    const outcome = watch(
      digestAll(await server.client(), ["a", "b"], {
        clock: systemClock,
        digest64,
        onDigest(path) {
          told.push(path);
          return slow.promise;
        },
        onFailed: () => {},
      }),
    );
    await until(() => told.length > 0);
    await settle();
    expect(told).toEqual(["a"]);
    slow.resolve();
    await until(() => outcome.state === "resolved");
    expect(told).toEqual(["a", "b"]);
  });

  test("asks again for those that the server has too much open for, and gives up in the end", async () => {
    const clock = new FakeClock();
    const overloaded = (id: number) => chunk("FAIL", id, { code: 56, message: "Too many files are open." });
    using server = new HostileServer(
      answering(({ id, path }, times) =>
        path === "never" || times === 0 ? [overloaded(id)] : [chunk("FILE", id, facts), chunk("SEAL", id)],
      ),
      withDigests,
    );
    const outcome = watch(asked(await clientOf(server, { clock }), ["a", "b", "never"], clock));
    for (let second = 0; second < 100; second++) await clock.advance(1_000);
    expect(outcome.value).toEqual([
      ["b", facts.sha256],
      ["a", facts.sha256],
      ["never", "OVERLOADED"],
    ]);
  });

  test("takes answers that come in pieces, however many", async () => {
    const answers = ["a", "b", "c"].flatMap((_, id) => [chunk("FILE", id, facts), chunk("SEAL", id)]);
    using server = new HostileServer(async ({ name, stream }, link) => {
      if (name === "OPEN") link.say(frame("ACCEPT", {}, stream));
      if (name !== "END") return;
      const body = Buffer.concat(answers);
      for (let at = 0; at < body.length; at += 30) {
        link.say(frame("DATA", body.subarray(at, at + 30), stream));
        // What comes meanwhile is another piece.
        await settle();
      }
      link.say(frame("END", undefined, stream));
    }, withDigests);
    expect(await asked(await clientOf(server), ["a", "b", "c"])).toEqual([
      ["a", facts.sha256],
      ["b", facts.sha256],
      ["c", facts.sha256],
    ]);
  });

  test.each([
    ["a block", (id: number) => [chunk("FILE", id, facts), chunk("BLOCK", id, Buffer.from("abc"))]],
    ["no digest", (id: number) => [chunk("FILE", id, { ...facts, sha256: undefined })]],
    ["two files", (id: number) => [chunk("FILE", id, facts), chunk("FILE", id, facts)]],
    ["another's", (id: number) => [chunk("FILE", id + 1, facts)]],
    ["an end without a beginning", (id: number) => [chunk("SEAL", id)]],
  ])("ends with BAD_PAYLOAD when %s comes", async (_, answer) => {
    using server = new HostileServer(
      answering(({ id }) => answer(id)),
      withDigests,
    );
    const client = await clientOf(server);
    expect((await rejection(asked(client, ["a", "b"]))).code).toBe("BAD_PAYLOAD");
  });

  test.each([
    ["in between", 1],
    ["before its end", 2],
  ])("ends with TIMEOUT when the server stops %s", async (_, answers) => {
    const clock = new FakeClock();
    using server = new HostileServer(
      answering(({ id }, times) => (times < answers ? [chunk("FILE", id, facts), chunk("SEAL", id)] : []), false),
      withDigests,
    );
    const outcome = watch(asked(await clientOf(server, { clock, silenceMs: 30_000 }), ["a", "b"], clock));
    await settle();
    await clock.advance(60_000);
    expect(codeOf(outcome)).toBe("TIMEOUT");
  });
});

const NAMED = { capabilities: ["digests"] };

describe("a get that asks for the digest", () => {
  test("has none of a server to which the client has not named `digests`", async () => {
    await using server = new TestServer();
    server.storage.set("small", Buffer.from("abc"));
    await using peer = await RawPeer.admitted(server.listen(), { capabilities: ["holes"] });
    const chunks = await new RawTransfers(peer).get({ id: 1, path: "small", digest: true });
    expect(chunks.map(({ name }) => name)).toEqual(["FILE", "BLOCK", "SEAL"]);
    expect(chunks[0]?.json).not.toHaveProperty("sha256");
  });

  test("has it in FILE, in front of what was asked for of the file", async () => {
    await using server = new TestServer();
    const content = new Uint8Array(BLOCK + 5).fill(7);
    server.storage.set("large", content);
    server.storage.set("small", Buffer.from("abc"));
    await using peer = await RawPeer.admitted(server.listen(), { ...NAMED, credit: 8 * BLOCK });
    const raw = new RawTransfers(peer);
    const all = await raw.get({ id: 1, path: "large", digest: true });
    expect(all.map(({ name }) => name)).toEqual(["FILE", "BLOCK", "BLOCK", "SEAL"]);
    expect(all[0]?.json).toMatchObject({ size: BLOCK + 5, sha256: sha256Of(content) });
    const part = await raw.get({ id: 1, path: "large", digest: true, offset: BLOCK, length: 2 });
    expect(part.map(({ name }) => name)).toEqual(["FILE", "BLOCK", "SEAL"]);
    const none = await raw.get({ id: 1, path: "small", digest: true, length: 0 });
    expect(none.map(({ name }) => name)).toEqual(["FILE", "SEAL"]);
    expect(none[0]?.json).toMatchObject({ size: 3, sha256: sha256Of(Buffer.from("abc")) });
    const without = await raw.get({ id: 1, path: "small", digest: false, length: 0 });
    expect(without[0]?.json).not.toHaveProperty("sha256");
  });

  test.each([0, 3])("of another state of the file is CHANGED, with %i bytes of it", async (length) => {
    await using server = new TestServer();
    server.storage.set("small", Buffer.from("abc"));
    await using peer = await RawPeer.admitted(server.listen(), { ...NAMED, credit: 8 * BLOCK });
    const raw = new RawTransfers(peer);
    const chunks = await raw.get({ id: 1, path: "small", digest: true, length, etag: "another" });
    expect(chunks.map(({ name, json }) => [name, json.code])).toEqual([["FAIL", 40]]);
  });
});
