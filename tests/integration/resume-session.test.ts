import { describe, expect, test } from "bun:test";
import { Ledger } from "../../lib/server/ledger.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { frame, HELLO } from "../support/frames.ts";
import { LinkProxy, openTap } from "../support/link-proxy.ts";
import { getting } from "../support/raw-chunks.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { TestServer } from "../support/test-server.ts";
import { clientAt } from "../support/transfers.ts";
import { until } from "../support/until.ts";

const GRACE_MS = 30_000;

interface Admitted {
  readonly peer: RawPeer;
  readonly name: string;
  readonly token: string;
}

/** Be admitted with `resume`: "" to be able to come back, a token to do it. */
async function admitted(port: number, resume = "", hello: object = {}): Promise<Admitted> {
  const peer = await RawPeer.connect(port);
  peer.send(frame("HELLO", { ...HELLO, ...hello, resume }));
  const { json } = await peer.next("WELCOME");
  expect(json.resume.graceMs).toBe(GRACE_MS);
  return { peer, name: json.name, token: json.resume.token };
}

/** Lose the link of `peer`, and wait until the server knows. */
async function lose(server: TestServer, { peer, name }: Admitted): Promise<void> {
  const before = happened(server, "away", name).length;
  peer.abort();
  await until(() => happened(server, "away", name).length > before);
}

function happened(server: TestServer, event: string, name: string): object[] {
  return server.events.filter((each) => each.event === event && "name" in each && each.name === name);
}

/** A fake clock, a ledger that outlives the server, and the server. */
function makeServer(maxClients = 1): { server: TestServer; clock: FakeClock; ledger: Ledger } {
  const clock = new FakeClock();
  const ledger = Ledger.open(":memory:");
  return { server: new TestServer({ clock, ledger, maxClients, graceMs: GRACE_MS }), clock, ledger };
}

describe("a client whose link is lost", () => {
  test("keeps its name and its seat, and status shows both", async () => {
    const { server, ledger } = makeServer();
    await using _ = server;
    const port = server.listen();
    const first = await admitted(port);
    await lose(server, first);
    const { client } = await server.operator();
    const { seats, sessions } = await client.status();
    expect(seats).toMatchObject({ max: 1, taken: 1 });
    expect(sessions).toMatchObject([{ name: "Client01", endedAt: null, reason: null }]);
    await expect(server.tcpClient()).rejects.toMatchObject({ code: "SERVER_FULL" });
    const back = await admitted(port, first.token);
    expect(back.name).toBe("Client01");
    expect(happened(server, "returned", "Client01")).toHaveLength(1);
    expect(ledger.total()).toBe(1);
    back.peer.abort();
  });

  test("comes back ahead of the queue", async () => {
    const { server } = makeServer();
    await using _ = server;
    const port = server.listen();
    const first = await admitted(port);
    await lose(server, first);
    await using queued = await RawPeer.connect(port);
    queued.send(frame("HELLO", { ...HELLO, wait: true }));
    expect((await queued.next("QUEUED")).json.position).toBe(1);
    await using back = (await admitted(port, first.token)).peer;
    expect(back.closed).toBe(false);
    expect(server.server.seats).toMatchObject({ taken: 1, waiting: 1 });
  });

  test("comes back while the server admits nobody new", async () => {
    const { server } = makeServer(2);
    await using _ = server;
    const port = server.listen();
    const first = await admitted(port);
    await lose(server, first);
    server.server.setDraining(true);
    await expect(server.tcpClient()).rejects.toMatchObject({ code: "SHUTDOWN" });
    const back = await admitted(port, first.token);
    expect(back.name).toBe("Client01");
    back.peer.abort();
  });

  test("loses both after the grace time: the next in the queue gets the seat, and the ledger says lost", async () => {
    const { server, clock, ledger } = makeServer();
    await using _ = server;
    const port = server.listen();
    const first = await admitted(port);
    await lose(server, first);
    await using queued = await RawPeer.connect(port);
    queued.send(frame("HELLO", { ...HELLO, wait: true }));
    await queued.next("QUEUED");
    await clock.advance(GRACE_MS - 1);
    expect(server.server.seats).toMatchObject({ taken: 1, waiting: 1 });
    // Whoever waits answers pings, as any client does.
    await clock.advance(1);
    expect((await queued.next("WELCOME")).json.name).toBe("Client02");
    expect(ledger.page(Number.MAX_SAFE_INTEGER, 10)).toMatchObject([
      { name: "Client02", reason: null },
      { name: "Client01", reason: "lost" },
    ]);
    expect(happened(server, "left", "Client01")).toMatchObject([{ reason: "lost" }]);
    queued.send(frame("GOAWAY", { code: 0, message: "exit" }));
    await until(() => server.server.seats.taken === 0);
    const late = await admitted(port, first.token);
    expect(late.name).toBe("Client03");
    late.peer.abort();
  });

  test("has the whole grace time again when it is lost again", async () => {
    const { server, clock } = makeServer();
    await using _ = server;
    const port = server.listen();
    let one = await admitted(port);
    for (let round = 0; round < 3; round++) {
      await lose(server, one);
      await clock.advance(GRACE_MS - 1);
      one = await admitted(port, one.token);
      expect(one.name).toBe("Client01");
      await clock.advance(2);
      expect(server.server.seats.taken).toBe(1);
    }
    one.peer.abort();
  });

  test("goes on with its counters over the links", async () => {
    const { server, ledger } = makeServer();
    await using _ = server;
    server.storage.set("big", new Uint8Array(300_000));
    const port = server.listen();
    const first = await admitted(port);
    first.peer.send(getting("big"), frame("END", undefined, 1));
    await first.peer.next("END");
    await lose(server, first);
    const back = await admitted(port, first.token);
    back.peer.send(getting("big"), frame("END", undefined, 1));
    await back.peer.next("END");
    back.peer.send(frame("GOAWAY", { code: 0, message: "exit" }));
    await until(() => happened(server, "left", "Client01").length === 1);
    const [row] = ledger.page(Number.MAX_SAFE_INTEGER, 10);
    expect(row).toMatchObject({ name: "Client01", reason: "exit" });
    expect(row?.bytesOut).toBeGreaterThan(600_000);
  });

  test("can't be written to meanwhile", async () => {
    const { server } = makeServer(3);
    await using _ = server;
    const first = await admitted(server.listen());
    const other = await server.tcpClient();
    const third = await server.tcpClient({ onMessage() {} });
    await lose(server, first);
    await expect(other.send("hello", "Client01")).rejects.toMatchObject({ code: "NO_SUCH_CLIENT" });
    expect(await other.send("hello", "all")).toMatchObject({ delivered: [third.name], failed: [] });
    const back = await admitted(server.listen(), first.token);
    const sending = other.send("welcome back", "Client01");
    const push = await back.peer.next("OPEN");
    expect(push.json.params).toMatchObject({ text: "welcome back", to: "Client01" });
    back.peer.send(frame("ACCEPT", {}, push.stream, 1));
    expect((await sending).delivered).toEqual(["Client01"]);
    back.peer.abort();
  });

  test("does not hold a shutdown up, and can't come back in it", async () => {
    const { server, clock, ledger } = makeServer(2);
    await using _ = server;
    const port = server.listen();
    const first = await admitted(port);
    server.storage.set("big", new Uint8Array(4_000_000));
    // Somebody whom the server waits for, so that there is a time in which it stops.
    await using busy = await RawPeer.admitted(port, { credit: 1_000 });
    busy.send(getting("big"));
    await busy.next("DATA");
    await lose(server, first);
    let reason: string | null = null;
    server.server.events.subscribe((event) => {
      if (event.event === "left" && event.name === "Client01") reason = event.reason;
    });
    const stopped = server.server.shutdown(600_000);
    expect(reason).toBe("lost" as never);
    await using late = await RawPeer.connect(port);
    late.send(frame("HELLO", { ...HELLO, resume: first.token }));
    expect((await late.next("REFUSE")).json.code).toBe(13);
    expect(ledger.page(Number.MAX_SAFE_INTEGER, 10).at(-1)).toMatchObject({ name: "Client01", reason: "lost" });
    late.abort();
    busy.abort();
    await stopped;
    expect(clock.pending).toBe(0);
  });
});

describe("a token", () => {
  test.each(["00000000-0000-4000-8000-000000000000", "x", "'; DROP TABLE sessions; --"])(
    "that nobody was given, %p, makes a new client that can come back itself",
    async (wrong) => {
      const { server } = makeServer(3);
      await using _ = server;
      const port = server.listen();
      const first = await admitted(port);
      await lose(server, first);
      const other = await admitted(port, wrong);
      expect(other.name).toBe("Client02");
      expect(other.token).not.toBe(wrong);
      expect(server.server.seats.taken).toBe(2);
      await lose(server, other);
      const back = await admitted(port, other.token);
      expect(back.name).toBe("Client02");
      back.peer.abort();
    },
  );

  test("that is used twice ends the session before, and there is one client and one seat", async () => {
    const { server, ledger } = makeServer(3);
    await using _ = server;
    const port = server.listen();
    const first = await admitted(port);
    await lose(server, first);
    const [a, b] = await Promise.all([admitted(port, first.token), admitted(port, first.token)]);
    expect([a.name, b.name]).toEqual(["Client01", "Client01"]);
    await until(() => a.peer.ended || a.peer.closed || b.peer.ended || b.peer.closed);
    expect(server.server.seats.taken).toBe(1);
    expect(server.server.members.clients.map(({ name }) => name)).toEqual(["Client01"]);
    expect(ledger.total()).toBe(1);
    for (const { peer } of [a, b]) peer.abort();
    await until(() => server.server.members.clients.length === 0);
    expect(server.server.seats.taken).toBe(1);
  });

  test("brings a client back whose old link still seems alive: that one is ended, with what was under way on it", async () => {
    const { server } = makeServer(1);
    await using _ = server;
    server.storage.set("big", new Uint8Array(8 * 1_048_576));
    using proxy = new LinkProxy(server.listen(), () => openTap);
    const old = await admitted(proxy.port, "", { credit: 1_000 });
    old.peer.send(getting("big"));
    await old.peer.next("DATA");
    proxy.links[0]?.freeze();
    const back = await admitted(server.listen(), old.token);
    expect(back.name).toBe("Client01");
    expect(server.server.seats.taken).toBe(1);
    expect(server.server.members.clients).toHaveLength(1);
    expect(happened(server, "returned", "Client01")).toHaveLength(1);
    back.peer.send(getting("big"), frame("END", undefined, 1));
    await back.peer.next("DATA");
    // The end of the old link, when it is told at last, does not touch the new one.
    proxy[Symbol.dispose]();
    old.peer.abort();
    back.peer.send(frame("OPEN", { method: "message", params: { text: "on" } }, 3, 1));
    await until(() => back.peer.frames.some(({ name, json }) => name === "ACCEPT" && json.text === "on ACK"));
    expect(happened(server, "left", "Client01")).toEqual([]);
    back.peer.abort();
  });

  test("is worth nothing after a goodbye", async () => {
    const { server } = makeServer();
    await using _ = server;
    const port = server.listen();
    const first = await admitted(port);
    first.peer.send(frame("GOAWAY", { code: 0, message: "exit" }));
    await until(() => server.server.seats.taken === 0);
    const next = await admitted(port, first.token);
    expect(next.name).toBe("Client02");
    for (const { peer } of [first, next]) peer.abort();
  });

  test("is worth nothing after a kick", async () => {
    const { server } = makeServer();
    await using _ = server;
    const port = server.listen();
    const operator = await server.operator();
    const first = await admitted(port);
    await operator.kick("Client01");
    await until(() => server.server.seats.taken === 0);
    const second = await admitted(port, first.token);
    expect(second.name).toBe("Client02");
    for (const { peer } of [first, second]) peer.abort();
  });

  test("is worth nothing after a kick while the client was away, which frees its seat", async () => {
    const { server } = makeServer();
    await using _ = server;
    const port = server.listen();
    const operator = await server.operator();
    const first = await admitted(port);
    await lose(server, first);
    await operator.kick("Client01");
    expect(server.server.seats.taken).toBe(0);
    expect(happened(server, "left", "Client01")).toMatchObject([{ reason: "kicked" }]);
    const second = await admitted(port, first.token);
    expect(second.name).toBe("Client02");
    second.peer.abort();
  });

  test("is worth nothing after the client broke the protocol", async () => {
    const { server } = makeServer();
    await using _ = server;
    const port = server.listen();
    const first = await admitted(port);
    first.peer.send(Buffer.from("GET / HTTP/1.1\r\n\r\n"));
    await until(() => server.server.seats.taken === 0);
    expect(happened(server, "left", "Client01")).toMatchObject([{ reason: "protocol error" }]);
    first.peer.abort();
  });

  test("is kept for a client that falls silent, and one that says it has not heard the server", async () => {
    const { server, clock } = makeServer(2);
    await using _ = server;
    const port = server.listen();
    const deaf = await admitted(port);
    deaf.peer.send(frame("GOAWAY", { code: 11, message: "no sign of life" }));
    await until(() => happened(server, "away", "Client01").length === 1);
    const back = await admitted(port, deaf.token);
    expect(back.name).toBe("Client01");
    for (let second = 0; second < 60; second++) await clock.advance(1_000);
    expect(happened(server, "away", "Client01")).toHaveLength(2);
    const again = await admitted(port, deaf.token);
    expect(again.name).toBe("Client01");
    for (const { peer } of [deaf, back, again]) peer.abort();
  });
});

describe("a client that did not ask to come back", () => {
  test("gets no token, and frees its seat at once when its link is lost", async () => {
    const { server } = makeServer();
    await using _ = server;
    const port = server.listen();
    const peer = await RawPeer.connect(port);
    peer.send(frame("HELLO", HELLO));
    expect((await peer.next("WELCOME")).json.resume).toBeUndefined();
    peer.abort();
    await until(() => server.server.seats.taken === 0);
    expect(happened(server, "away", "Client01")).toEqual([]);
    expect(happened(server, "left", "Client01")).toMatchObject([{ reason: "lost" }]);
    const next = await clientAt(port);
    expect(next.name).toBe("Client02");
    await next.close();
  });
});
