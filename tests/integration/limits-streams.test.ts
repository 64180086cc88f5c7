import { describe, expect, test } from "bun:test";
import { codeOf } from "../support/fault.ts";
import { frame } from "../support/frames.ts";
import { admittedPeer, CODES, clientFrom } from "../support/limits.ts";
import type { MemoryPeer } from "../support/memory-peer.ts";
import { chunk } from "../support/raw-chunks.ts";
import { TestServer } from "../support/test-server.ts";
import { until } from "../support/until.ts";

const LIMITS = { credit: 65_536, maxStreams: 4 };
const watching = (id: number) => frame("OPEN", { method: "watch" }, id, 1);

/** What each stream was answered with: ACCEPT, or the code of RESET. */
const answersOf = (peer: MemoryPeer) =>
  peer.frames.filter(({ stream }) => stream > 0).map(({ name, json }) => (name === "RESET" ? json.code : name));

describe("streams of a session", () => {
  test("are so many at once: more get TOO_MANY_STREAMS, those under way and other sessions go on", async () => {
    await using server = new TestServer({ limits: LIMITS });
    const peer = await admittedPeer(server);
    const honest = await clientFrom(server);
    for (let index = 0; index < 6; index++) await peer.send(watching(2 * index + 1));
    const { TOO_MANY_STREAMS } = CODES;
    expect(answersOf(peer)).toEqual([...Array(4).fill("ACCEPT"), TOO_MANY_STREAMS, TOO_MANY_STREAMS]);
    expect(peer.last("RESET")).toMatchObject({ stream: 11, json: { message: "4 requests are under way." } });
    server.storage.set("new", new Uint8Array(1));
    await until(async () => {
      await peer.send();
      return new Set(peer.frames.filter(({ name }) => name === "DATA").map(({ stream }) => stream)).size === 4;
    });
    expect((await honest.send("hi")).text).toBe("hi ACK");
  });

  test("make room when they end", async () => {
    await using server = new TestServer({ limits: LIMITS });
    const peer = await admittedPeer(server);
    for (let index = 0; index < 4; index++) await peer.send(watching(2 * index + 1));
    for (let round = 0; round < 10; round++) {
      await peer.send(frame("RESET", { code: 38, message: "enough" }, 2 * round + 1));
      await peer.send(watching(2 * round + 9));
    }
    expect(answersOf(peer)).toEqual(Array(14).fill("ACCEPT"));
  });

  test("that were refused can't be spoken of as if they were there, and cost the session nothing", async () => {
    await using server = new TestServer({ limits: LIMITS });
    const peer = await admittedPeer(server);
    for (let index = 0; index < 5; index++) await peer.send(watching(2 * index + 1));
    await peer.send(frame("DATA", Buffer.alloc(100_000), 9), frame("CREDIT", Buffer.from([0, 0, 0, 1]), 9));
    await peer.send(frame("END", Buffer.alloc(0), 9), frame("RESET", { code: 0, message: "" }, 9));
    expect(peer.names).not.toContain("GOAWAY");
    expect(server.server.members.clients).toHaveLength(1);
  });

  test("watches of a session are so many: more get TOO_MANY_STREAMS, until one ends", async () => {
    await using server = new TestServer();
    const client = await clientFrom(server);
    const watches = Array.from({ length: 16 }, () => client.openStream("watch", {}));
    await Promise.all(watches.map(({ accepted }) => accepted));
    expect(await codeOf(() => client.openStream("watch", {}).accepted)).toBe("TOO_MANY_STREAMS");
    expect((await client.send("hi")).text).toBe("hi ACK");
    watches[0]?.reset("CANCELLED", "");
    await until(() => client.openStream("watch", {}).accepted.catch(() => undefined));
  });

  test("a client that knows the limit keeps to it by itself", async () => {
    await using server = new TestServer({ limits: LIMITS });
    const client = await clientFrom(server);
    const streams = Array.from({ length: 4 }, () => client.openStream("watch", {}));
    await Promise.all(streams.map(({ accepted }) => accepted));
    expect(() => client.openStream("watch", {})).toThrow("The other end allows 4 requests at once.");
    streams[0]?.reset("CANCELLED", "");
    await until(() => client.send("there is room").catch(() => undefined));
  });

  test("files of one put are so many at once", async () => {
    await using server = new TestServer();
    const peer = await admittedPeer(server);
    await peer.send(frame("OPEN", { method: "put" }, 1));
    for (let id = 0; id < 10; id++) {
      const facts = { path: `f${id}`, exists: "fail", size: 3_000_000, modifiedAt: 1, executable: false, etag: "1" };
      await peer.send(frame("DATA", chunk("FILE", id, facts), 1));
    }
    await until(async () => {
      await peer.send();
      return answers(peer).length >= 10;
    });
    const failed = answers(peer).filter(({ state }) => state === "failed");
    expect(failed.map(({ id, code }) => [id, code])).toEqual([
      [8, CODES.TOO_MANY_STREAMS],
      [9, CODES.TOO_MANY_STREAMS],
    ]);
  });
});

function answers(peer: MemoryPeer): { id: number; state: string; code?: number }[] {
  const body = Buffer.concat(peer.frames.filter(({ name }) => name === "DATA").map(({ payload }) => payload));
  return body
    .toString()
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}
