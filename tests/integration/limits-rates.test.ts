import { describe, expect, test } from "bun:test";
import type { Client } from "../../lib/client/client.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { frame, type RawFrame } from "../support/frames.ts";
import { admittedPeer, clientFrom } from "../support/limits.ts";
import { TestServer } from "../support/test-server.ts";

const RATES = { messages: 5, lists: 2, pages: 2 };

function site() {
  const clock = new FakeClock();
  return { clock, server: new TestServer({ clock, callRates: RATES }) };
}

const all = async (list: AsyncIterable<unknown>) => {
  for await (const _ of list);
};

/** How often it can be done until it is refused, and with what. */
async function untilRefused(act: () => Promise<unknown>): Promise<{ done: number; code: string; message: string }> {
  for (let done = 0; ; done++) {
    try {
      await act();
    } catch (thrown) {
      const { code, message } = thrown as { code: string; message: string };
      return { done, code, message };
    }
  }
}

describe("messages", () => {
  test("come so often a second, twice that after a rest; more get TOO_OFTEN and may be sent again later", async () => {
    const { clock, server } = site();
    await using _ = server;
    const client = await clientFrom(server);
    const message = "5 calls of message a second are allowed.";
    expect(await untilRefused(() => client.send("x"))).toEqual({ done: 10, code: "TOO_OFTEN", message });
    await clock.advance(199);
    await expect(client.send("x")).rejects.toMatchObject({ code: "TOO_OFTEN" });
    await clock.advance(1);
    expect((await client.send("x")).text).toBe("x ACK");
    await clock.advance(1_000);
    expect((await untilRefused(() => client.send("x"))).done).toBe(5);
    await clock.advance(10_000);
    expect((await untilRefused(() => client.send("x"))).done).toBe(10);
  });

  test("of others are not counted, nor what else the session asks for", async () => {
    const { server } = site();
    await using _ = server;
    const [loud, quiet] = [await clientFrom(server), await clientFrom(server)];
    await untilRefused(() => loud.send("x", "all"));
    expect((await untilRefused(() => quiet.send("x"))).done).toBe(10);
    expect((await loud.status()).self.name).toBe(loud.name);
    expect(await loud.ping()).toBeGreaterThanOrEqual(0);
  });

  test("that are refused reach nobody, and are not counted as sent", async () => {
    const { server } = site();
    await using _ = server;
    const got: string[] = [];
    const sender = await clientFrom(server);
    const reader = await clientFrom(server, {}, { onMessage: ({ text }) => got.push(text) });
    const texts = Array.from({ length: 30 }, (_, index) => `${index}`);
    const outcomes = await Promise.allSettled(texts.map((text) => sender.send(text, reader.name)));
    expect(outcomes.map(({ status }) => status)).toEqual(texts.map((_, at) => (at < 10 ? "fulfilled" : "rejected")));
    expect(got).toEqual(texts.slice(0, 10));
    const { sessions } = await reader.status();
    expect(sessions.find(({ name }) => name === sender.name)).toMatchObject({ messagesIn: 10 });
  });

  test("in a flood are each answered with TOO_OFTEN, in order, and the session goes on", async () => {
    const { clock, server } = site();
    await using _ = server;
    const peer = await admittedPeer(server);
    const open = (id: number) => frame("OPEN", { method: "message", params: { text: "x" } }, id, 1);
    const ids = Array.from({ length: 500 }, (_, index) => 2 * index + 1);
    for (const id of ids) await peer.send(open(id));
    const answers = peer.frames.filter(({ stream }) => stream > 0);
    expect(answers.map(({ stream }) => stream)).toEqual(ids);
    expect(answers.filter(({ name }) => name === "ACCEPT")).toHaveLength(10);
    expect(new Set(answers.slice(10).map(({ json }) => json.code))).toEqual(new Set([51]));
    await clock.advance(1_000);
    await peer.send(open(1_001));
    expect(peer.last("ACCEPT")?.stream).toBe(1_001);
  });
});

describe("calls that walk or read much", () => {
  const calls: [string, (client: Client) => Promise<unknown>][] = [
    ["list", (client) => all(client.list())],
    ["status", (client) => client.status()],
    ["digest", (client) => client.digest("a.txt")],
    ["watch", async (client) => void (await client.openStream("watch", {}).accepted)],
  ];

  test.each(calls)("%s: so many a second", async (name, call) => {
    const { clock, server } = site();
    await using _ = server;
    server.storage.set("a.txt", new Uint8Array(3));
    const client = await clientFrom(server);
    const message = `2 calls of ${name} a second are allowed.`;
    expect(await untilRefused(() => call(client))).toEqual({ done: 4, code: "TOO_OFTEN", message });
    await clock.advance(1_000);
    expect((await untilRefused(() => call(client))).done).toBe(2);
  });

  test("count together, and apart from messages and from those of another session", async () => {
    const { server } = site();
    await using _ = server;
    server.storage.set("a.txt", new Uint8Array(3));
    const [busy, other] = [await clientFrom(server), await clientFrom(server)];
    const walking = calls.filter(([name]) => name !== "status");
    for (const [, call] of [...walking, ...walking.slice(0, 1)]) await call(busy);
    for (const [, call] of walking) await expect(call(busy)).rejects.toMatchObject({ code: "TOO_OFTEN" });
    // A page of the ledger is no walk.
    expect((await busy.status()).self.name).toBe(busy.name);
    expect((await busy.send("x")).text).toBe("x ACK");
    for (const [, call] of calls) await call(other);
  });

  test("that only look at one path may come as often as one likes", async () => {
    const { server } = site();
    await using _ = server;
    server.storage.set("a.txt", new Uint8Array(3));
    const client = await clientFrom(server);
    const outcomes = await Promise.allSettled(Array.from({ length: 100 }, () => client.stat("a.txt")));
    expect(outcomes.filter(({ status }) => status === "rejected")).toEqual([]);
  });
});

test("a client that comes back is not fresh: what it has called counts on", async () => {
  const { server } = site();
  await using _ = server;
  const first = await admittedPeer(server, {}, { resume: "" });
  const open = (id: number) => frame("OPEN", { method: "message", params: { text: "x" } }, id, 1);
  for (let index = 0; index < 10; index++) await first.send(open(2 * index + 1));
  const { resume } = (first.last("WELCOME") as RawFrame).json;
  const back = await admittedPeer(server, {}, { resume: resume.token });
  await back.send(open(1));
  expect(back.last("RESET")?.json.code).toBe(51);
});
