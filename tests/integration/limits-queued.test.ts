import { describe, expect, test } from "bun:test";
import { FakeClock, settle } from "../support/fake-clock.ts";
import { frame, type RawFrame } from "../support/frames.ts";
import { admittedPeer, clientFrom, flood } from "../support/limits.ts";
import type { MemoryPeer } from "../support/memory-peer.ts";
import { getting } from "../support/raw-chunks.ts";
import { TestServer } from "../support/test-server.ts";
import { until } from "../support/until.ts";

const CAPACITY = 64 * 1024;
const FLOOD = 3 * 1024 * 1024;
/** What is read of a flood until its answers fill the pipe and 256 KiB, generously. */
const MOST_READ = FLOOD / 2;

const nonce = Buffer.alloc(8);
const cancel = (id: number) => frame("RESET", { code: 38, message: "" }, id);
const text = "\u0001".repeat(8_000);

const floods: [string, (id: number) => Uint8Array][] = [
  ["PINGs", () => frame("PING", nonce)],
  ["requests for a method that is unknown", (id) => frame("OPEN", { method: "x" }, id, 1)],
  ["requests that are wrong", (id) => frame("OPEN", { method: "stat" }, id, 1)],
  ["gets that it cancels at once", (id) => Buffer.concat([frame("OPEN", { method: "get" }, id), cancel(id)])],
  [
    "stats that it cancels later",
    (id) =>
      Buffer.concat([
        frame("OPEN", { method: "stat", params: { path: "a" } }, id, 1),
        ...(id > 99 ? [cancel(id - 98)] : []),
      ]),
  ],
  [
    "messages that it cancels at once",
    (id) => Buffer.concat([frame("OPEN", { method: "message", params: { text } }, id, 1), cancel(id)]),
  ],
];

describe("a peer that never reads while it sends a flood of", () => {
  test.each(floods)("%s is not read from either, and nobody beside it waits", async (_, make) => {
    await using server = new TestServer({ clock: new FakeClock() });
    server.storage.set("a", new Uint8Array(10));
    const peer = await admittedPeer(server, { capacity: CAPACITY });
    const honest = await clientFrom(server);
    peer.pause();
    await flood(peer, FLOOD, (index) => make(2 * index + 1));
    const [member] = server.server.members.clients;
    expect(member?.bytesIn).toBeLessThan(MOST_READ);
    expect((await honest.send("beside it")).text).toBe("beside it ACK");
  });

  test("PINGs gets every answer when it reads on", async () => {
    await using server = new TestServer({ clock: new FakeClock() });
    const peer = await admittedPeer(server, { capacity: CAPACITY });
    peer.pause();
    const count = await flood(peer, FLOOD, () => frame("PING", nonce));
    peer.resume();
    await until(async () => {
      await settle();
      return peer.frames.filter(({ name }) => name === "PONG").length === count;
    });
    expect(server.server.members.clients).toHaveLength(1);
  });
});

describe("a peer that never reads", () => {
  const pushed = (peer: MemoryPeer) => peer.frames.filter(({ name }) => name === "OPEN").length;

  test("gets a limited number of pushes; senders of more get an error, and others get their messages", async () => {
    const clock = new FakeClock();
    await using server = new TestServer({ clock });
    const deaf = await admittedPeer(server, { capacity: CAPACITY }, { maxStreams: 100_000 });
    const name = (deaf.last("WELCOME") as RawFrame).json.name;
    const got: string[] = [];
    const honest = await clientFrom(server, {}, { onMessage: (message) => got.push(message.text) });
    const writer = await clientFrom(server);
    deaf.pause();
    const large = "x".repeat(8_000);
    const codes: string[] = [];
    let under = 0;
    for (let count = 0; count < 400; count++) {
      under++;
      void writer.send(large, name).catch(({ code }) => {
        codes.push(code);
        under--;
      });
      if (count % 20 === 0) await settle();
    }
    await until(() => codes.length > 300);
    // Those that were pushed wait for its word: a few hundred KiB of them.
    expect(under * large.length).toBeLessThan(1024 * 1024);
    await writer.send("to you", honest.name);
    expect(got).toEqual(["to you"]);
    await clock.advance(10_000);
    await until(() => under === 0);
    // Too late for it, or too much of the writer's is on its way.
    expect(codes.toSorted().filter((code, index, all) => code !== all[index - 1])).toEqual([
      "NOT_DELIVERED",
      "TOO_OFTEN",
    ]);
    deaf.resume();
    await until(async () => {
      await settle();
      return pushed(deaf) > 0;
    });
    expect(pushed(deaf) * large.length).toBeLessThan(1024 * 1024);
  });

  test("takes no more of a download into memory than what is under way", async () => {
    await using server = new TestServer({ clock: new FakeClock() });
    server.storage.set("large", new Uint8Array(32 * 1024 * 1024));
    const peer = await admittedPeer(server, { capacity: CAPACITY }, { credit: 2 ** 31 - 1 });
    const honest = await clientFrom(server);
    peer.pause();
    for (let id = 1; id < 40; id += 2) await peer.send(getting("large", id));
    for (let round = 0; round < 20; round++) await settle();
    expect(server.server.members.clients[0]?.bytesOut).toBeLessThan(1024 * 1024);
    expect((await honest.send("beside it")).text).toBe("beside it ACK");
  });
});
