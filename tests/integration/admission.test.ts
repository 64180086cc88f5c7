import { describe, expect, test } from "bun:test";
import type { Client } from "../../lib/client/client.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { frame, HELLO } from "../support/frames.ts";
import { getting } from "../support/raw-chunks.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { TestServer } from "../support/test-server.ts";
import { until } from "../support/until.ts";

const FULL = "Server is full. Please try again later.";

function freeSeats(server: TestServer): Promise<true> {
  return until(() => server.server.seats.taken === 0 && server.server.members.clients.length === 0);
}

describe("seats", () => {
  test("the fourth of three is refused with the original's words", async () => {
    await using server = new TestServer();
    for (const name of ["Client01", "Client02", "Client03"]) expect((await server.tcpClient()).name).toBe(name);
    await expect(server.tcpClient()).rejects.toMatchObject({ code: "SERVER_FULL", message: FULL });
    expect(server.server.seats.taken).toBe(3);
  });

  test("a refused client uses up no name", async () => {
    await using server = new TestServer({ maxClients: 1 });
    const first = await server.tcpClient();
    await expect(server.tcpClient()).rejects.toMatchObject({ code: "SERVER_FULL" });
    await first.close();
    await freeSeats(server);
    expect((await server.tcpClient()).name).toBe("Client02");
  });

  test("the refusal reaches a client that is sending megabytes", async () => {
    await using server = new TestServer({ maxClients: 1 });
    const port = server.listen();
    await using _ = await RawPeer.admitted(port);
    await using late = await RawPeer.connect(port);
    late.send(frame("HELLO", HELLO), Buffer.alloc(8 * 1024 * 1024, 0x41));
    const refusal = await late.next("REFUSE");
    expect(refusal.json).toEqual({ code: 12, message: FULL });
    await until(() => late.ended);
  });

  test("of many that race for the last seat exactly one gets it", async () => {
    await using server = new TestServer({ maxClients: 1 });
    server.listen();
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => server.tcpClient()));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(server.server.seats.taken).toBe(1);
  });

  const deaths: [string, (peer: RawPeer) => void][] = [
    ["vanishes", (peer) => peer.abort()],
    ["half-closes", (peer) => peer.halfClose()],
    ["says goodbye", (peer) => peer.send(frame("GOAWAY", { code: 0, message: "exit" }))],
    ["breaks the protocol", (peer) => peer.send(Buffer.from("GET / HTTP/1.1\r\n\r\n"))],
    [
      "vanishes in the middle of a frame",
      (peer) => {
        peer.send(frame("OPEN", { method: "x" }, 1).subarray(0, 20));
        peer.abort();
      },
    ],
    [
      "vanishes in the middle of a download",
      (peer) => {
        peer.send(getting("big"));
        peer.abort();
      },
    ],
  ];
  test.each(deaths)("a client that %s gives its seat back", async (_, die) => {
    await using server = new TestServer({ maxClients: 1 });
    server.storage.set("big", new Uint8Array(4 * 1024 * 1024));
    await using peer = await RawPeer.admitted(server.listen());
    die(peer);
    await freeSeats(server);
    expect((await server.tcpClient()).name).toBe("Client02");
  });

  test("a client that falls silent is found by the heartbeat and gives its seat back", async () => {
    const clock = new FakeClock();
    await using server = new TestServer({ maxClients: 1, clock });
    await using peer = await RawPeer.admitted(server.listen());
    for (let second = 0; second < 44; second++) await clock.advance(1_000);
    expect(server.server.seats.taken).toBe(1);
    expect(peer.frames.map(({ name }) => name)).toContain("PING");
    for (let second = 0; second < 16; second++) await clock.advance(1_000);
    expect((await peer.next("GOAWAY")).json.code).toBe(11);
    expect(server.server.seats.taken).toBe(0);
    expect(server.events.at(-1)).toMatchObject({ event: "left", name: "Client01", reason: "timeout" });
  });

  test("a client that answers pings keeps its seat", async () => {
    const clock = new FakeClock();
    await using server = new TestServer({ maxClients: 1, clock });
    await using peer = await RawPeer.admitted(server.listen());
    for (let round = 0; round < 8; round++) {
      await clock.advance(15_000);
      const ping = await peer.next("PING");
      const before = server.server.members.clients[0]?.bytesIn ?? 0;
      peer.send(frame("PONG", ping.payload));
      await until(() => (server.server.members.clients[0]?.bytesIn ?? 0) > before);
    }
    expect(server.server.seats.taken).toBe(1);
  });
});

describe("the queue", () => {
  test("admits in order and tells each its position whenever it moves", async () => {
    await using server = new TestServer({ maxClients: 1 });
    const seated = await server.tcpClient();
    const told: string[] = [];
    const waiting: Promise<Client>[] = [];
    for (const who of ["a", "b", "c"]) {
      const place = waiting.push(server.tcpClient({ wait: true, onQueued: (position) => told.push(who + position) }));
      // The last one never gets in: the server goes before.
      waiting.at(-1)?.catch(() => {});
      await until(() => told.length === place);
    }
    expect(told.splice(0)).toEqual(["a1", "b2", "c3"]);

    await seated.close();
    const first = (await waiting[0]) as Client;
    expect(first.name).toBe("Client02");
    await until(() => told.length === 2);
    expect(told.splice(0).sort()).toEqual(["b1", "c2"]);

    await first.close();
    expect((await waiting[1])?.name).toBe("Client03");
    await until(() => told.length === 1);
    expect(told).toEqual(["c1"]);
  });

  test("a client that leaves the queue moves the others up", async () => {
    await using server = new TestServer({ maxClients: 1 });
    const port = server.listen();
    await using _ = await RawPeer.admitted(port);
    const hello = frame("HELLO", { ...HELLO, wait: true });
    await using first = await RawPeer.connect(port);
    first.send(hello);
    expect((await first.next("QUEUED")).json).toEqual({ position: 1 });
    await using second = await RawPeer.connect(port);
    second.send(hello);
    expect((await second.next("QUEUED")).json).toEqual({ position: 2 });
    first.abort();
    expect((await second.next("QUEUED")).json).toEqual({ position: 1 });
    expect(server.server.seats.waiting).toBe(1);
  });

  test("a client without --wait does not overtake the queue", async () => {
    await using server = new TestServer({ maxClients: 1, maxWaiting: 1 });
    const port = server.listen();
    const seated = await server.tcpClient();
    await using queued = await RawPeer.connect(port);
    queued.send(frame("HELLO", { ...HELLO, wait: true }));
    await queued.next("QUEUED");
    await expect(server.tcpClient()).rejects.toMatchObject({ code: "SERVER_FULL" });
    await expect(server.tcpClient({ wait: true })).rejects.toMatchObject({ code: "SERVER_FULL" });
    await seated.close();
    expect((await queued.next("WELCOME")).json.name).toBe("Client02");
  });

  test("a waiting client that falls silent is dropped from it", async () => {
    const clock = new FakeClock();
    await using server = new TestServer({ maxClients: 1, clock });
    const port = server.listen();
    await using seated = await RawPeer.admitted(port);
    await using queued = await RawPeer.connect(port);
    queued.send(frame("HELLO", { ...HELLO, wait: true }));
    await queued.next("QUEUED");
    for (let second = 0; second < 60; second++) {
      await clock.advance(1_000);
      seated.send(frame("PING", Buffer.alloc(8)));
      await until(() => seated.frames.filter(({ name }) => name === "PONG").length > second);
    }
    expect(server.server.seats.waiting).toBe(0);
    expect(server.server.seats.taken).toBe(1);
    expect((await queued.next("REFUSE")).json.code).toBe(11);
  });
});

describe("draining", () => {
  test("refuses waiting clients", async () => {
    await using server = new TestServer({ maxClients: 1 });
    const seated = await server.tcpClient();
    const waiting = server.tcpClient({ wait: true });
    waiting.catch(() => {});
    await until(() => server.server.seats.waiting === 1);
    await (await server.operator()).drain(true);
    await expect(waiting).rejects.toMatchObject({ code: "SHUTDOWN" });
    expect(server.server.seats.waiting).toBe(0);
    await seated.close();
  });

  test("admits nobody new, keeps present clients, and can be undone", async () => {
    await using server = new TestServer();
    const here = await server.tcpClient();
    const operator = await server.operator();
    await operator.drain(true);
    await expect(server.tcpClient()).rejects.toMatchObject({ code: "SHUTDOWN" });
    expect((await here.send("still here")).text).toBe("still here ACK");
    await operator.drain(false);
    expect((await server.tcpClient()).name).toBe("Client02");
  });
});
