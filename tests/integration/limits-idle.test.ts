import { describe, expect, test } from "bun:test";
import { Connection } from "../../lib/client/connection.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { frame } from "../support/frames.ts";
import { admittedPeer, CODES, clientFrom } from "../support/limits.ts";
import { TestServer } from "../support/test-server.ts";
import { hastyClock } from "../support/transfers.ts";
import { until } from "../support/until.ts";

const IDLE_MS = 120_000;
const WORDS = "The client made no request for 120 s.";

/** Let time pass in steps in which clients answer the server's pings. */
async function pass(clock: FakeClock, ms: number, each: () => Promise<unknown> = async () => {}): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10_000) {
    await clock.advance(10_000);
    await each();
  }
}

describe("a session that asks for nothing", () => {
  test("ends with IDLE_TIMEOUT when its time is over, and not before; one with requests continues", async () => {
    const clock = new FakeClock();
    await using server = new TestServer({ clock, idleMs: IDLE_MS });
    const idle = await clientFrom(server);
    const busy = await clientFrom(server);
    let ended: unknown;
    void idle.ended.then((end) => {
      ended = end;
    });
    await pass(clock, IDLE_MS - 10_000, () => busy.send("busy"));
    expect(ended).toBeUndefined();
    // It is looked for now and then only.
    await pass(clock, 60_000, () => busy.send("busy"));
    expect(ended).toEqual({ by: "remote", code: "IDLE_TIMEOUT", message: WORDS });
    expect(server.events.filter(({ event }) => event === "left")).toMatchObject([
      { name: idle.name, reason: "idle", message: WORDS },
    ]);
    expect((await busy.status()).sessions).toMatchObject([
      { name: busy.name, endedAt: null },
      { name: idle.name, reason: "idle" },
    ]);
    expect(server.server.seats.taken).toBe(1);
  });

  test("says so to clients that ask for more, which do not come back to it", async () => {
    const clock = new FakeClock();
    await using server = new TestServer({ clock, idleMs: IDLE_MS });
    let attempts = 0;
    const connection = await Connection.open({
      clock: hastyClock,
      reconnectMs: 60_000,
      random: () => 0,
      connect: (resume) => {
        attempts++;
        return clientFrom(server, {}, { resume });
      },
    });
    await pass(clock, IDLE_MS + 60_000);
    const asking = connection.persist((client) => client.send("hello?"));
    await expect(asking).rejects.toMatchObject({ code: "IDLE_TIMEOUT", message: WORDS });
    expect(attempts).toBe(1);
    expect(server.events.map(({ event }) => event)).not.toContain("away");
    expect(server.server.seats.taken).toBe(0);
  });

  test("pings keep it alive, but are no asking", async () => {
    const clock = new FakeClock();
    await using server = new TestServer({ clock, idleMs: IDLE_MS });
    const peer = await admittedPeer(server);
    await pass(clock, IDLE_MS + 60_000, () => peer.send(frame("PING", Buffer.alloc(8))));
    expect(peer.last("GOAWAY")?.json).toEqual({ code: CODES.IDLE_TIMEOUT, message: WORDS });
  });

  test("is let be where the operator wants it so", async () => {
    const clock = new FakeClock();
    await using server = new TestServer({ clock, idleMs: undefined });
    const idle = await clientFrom(server);
    await pass(clock, 20 * IDLE_MS);
    expect((await idle.send("still here")).text).toBe("still here ACK");
  });

  test("of the operator is let be", async () => {
    const clock = new FakeClock();
    await using server = new TestServer({ clock, idleMs: IDLE_MS });
    const operator = await server.operator();
    await pass(clock, 3 * IDLE_MS);
    expect((await operator.client.send("still here")).text).toBe("still here ACK");
  });
});

describe("a session with a stream under way is not idle:", () => {
  test("one that watches is not, until it has stopped watching for so long", async () => {
    const clock = new FakeClock();
    await using server = new TestServer({ clock, idleMs: IDLE_MS });
    const client = await clientFrom(server);
    const stopping = new AbortController();
    const changes: string[] = [];
    const watching = (async () => {
      for await (const { path = "?" } of client.watch(undefined, stopping.signal) as AsyncGenerator<{
        path?: string;
      }>) {
        changes.push(path);
      }
    })();
    watching.catch(() => {});
    await pass(clock, 3 * IDLE_MS);
    server.storage.set("new.txt", new Uint8Array(1));
    await until(() => changes.length > 0);
    expect(changes).toEqual(["new.txt"]);
    stopping.abort();
    await expect(watching).rejects.toMatchObject({ code: "INTERRUPTED" });
    await pass(clock, IDLE_MS - 20_000);
    expect(server.server.members.clients).toHaveLength(1);
    await pass(clock, 60_000);
    expect(await client.ended).toMatchObject({ code: "IDLE_TIMEOUT" });
  });

  test("one whose download waits for its reader is not", async () => {
    const clock = new FakeClock();
    await using server = new TestServer({ clock, idleMs: IDLE_MS });
    server.storage.set("large", new Uint8Array(8 * 1024 * 1024));
    const peer = await admittedPeer(server, {}, { credit: 1_000 });
    const request = `${JSON.stringify({ id: 0, path: "large" })}\n`;
    await peer.send(frame("OPEN", { method: "get" }, 1), frame("DATA", Buffer.from(request), 1));
    await pass(clock, 3 * IDLE_MS, () => peer.send(frame("PING", Buffer.alloc(8))));
    expect(peer.last("GOAWAY")).toBeUndefined();
    expect(server.server.members.clients).toHaveLength(1);
  });

  test("one that is pushed to, and acknowledges, counts from then on", async () => {
    const clock = new FakeClock();
    await using server = new TestServer({ clock, idleMs: IDLE_MS });
    const reader = await clientFrom(server, {}, { onMessage() {} });
    const writer = await clientFrom(server);
    await pass(clock, 2 * IDLE_MS, () => writer.send("tick", reader.name));
    expect(server.server.members.clients).toHaveLength(2);
  });
});
