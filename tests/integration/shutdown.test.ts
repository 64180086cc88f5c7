import { describe, expect, test } from "bun:test";
import { FakeClock, settle } from "../support/fake-clock.ts";
import { frame, HELLO } from "../support/frames.ts";
import { admittedPeer, peerOf } from "../support/limits.ts";
import { watch } from "../support/outcomes.ts";
import { getting, parseChunks } from "../support/raw-chunks.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { TestServer } from "../support/test-server.ts";
import { until } from "../support/until.ts";

const BIG = 4 * 1024 * 1024;
const grant = (bytes: number) => {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes);
  return frame("CREDIT", payload, 1);
};

describe("shutdown", () => {
  test("tells every session why and closes the idle ones", async () => {
    await using server = new TestServer();
    const clients = [await server.tcpClient(), await server.tcpClient()];
    await server.server.shutdown(10_000);
    for (const { ended } of clients) expect(await ended).toMatchObject({ by: "remote", code: "SHUTDOWN" });
    expect(server.events.filter(({ event }) => event === "left")).toMatchObject([
      { reason: "shutdown" },
      { reason: "shutdown" },
    ]);
  });

  test("gives an operator a second for what is under way, whatever clients were given", async () => {
    const clock = new FakeClock();
    await using server = new TestServer({ clock });
    const { client } = await server.operator();
    const stream = client.openStream("get", {}, { body: true });
    await stream.accepted;
    const stopped = watch(server.server.shutdown(60_000));
    await clock.advance(999);
    expect([stopped.state, stream.isClosed]).toEqual(["pending", false]);
    await clock.advance(1);
    await until(() => stopped.state === "resolved");
    expect(stream.isClosed).toBe(true);
  });

  test("reports every refusal before it is over, those while operators read the last events included", async () => {
    const clock = new FakeClock();
    await using server = new TestServer({ clock });
    const { client } = await server.operator();
    await client.openStream("get", {}, { body: true }).accepted;
    const stopped = watch(server.server.shutdown(60_000));
    await settle();
    const COUNT = 30; // more than are reported one by one
    for (let late = 0; late < COUNT; late++) await peerOf(server).send(frame("HELLO", HELLO));
    await clock.advance(1_000);
    await until(() => stopped.state === "resolved");
    const counts = server.events.flatMap((event) => (event.event === "refused" ? [event.count ?? 1] : []));
    expect(counts.reduce((sum, count) => sum + count)).toBe(COUNT);
    expect(counts.length).toBeLessThan(COUNT);
  });

  test("has nothing to wait for once the server has ended every link at once", async () => {
    const clock = new FakeClock();
    await using server = new TestServer({ clock });
    server.storage.set("big", new Uint8Array(BIG));
    const [busy, silent] = [await admittedPeer(server, {}, { credit: 1_000 }), peerOf(server)];
    await busy.send(getting("big"));
    const stopped = watch(server.server.shutdown(60_000));
    await settle();
    expect(stopped.state).toBe("pending");
    server.server.abort();
    await until(() => stopped.state === "resolved");
    expect([busy.ended, silent.ended]).toEqual([true, true]);
  });

  test("lets a transfer end, and admits nobody meanwhile", async () => {
    await using server = new TestServer();
    server.storage.set("big", new Uint8Array(BIG).fill(7));
    const port = server.listen();
    await using peer = await RawPeer.admitted(port, { credit: 1_000 });
    peer.send(getting("big"));
    await peer.next("DATA");
    const stopped = server.server.shutdown(60_000);
    expect((await peer.next("GOAWAY")).json.code).toBe(13);
    await using late = await RawPeer.connect(port);
    late.send(frame("HELLO", HELLO));
    expect((await late.next("REFUSE")).json.code).toBe(13);
    peer.send(grant(2 * BIG), frame("END", undefined, 1));
    await peer.next("END");
    const body = Buffer.concat(peer.frames.filter(({ name }) => name === "DATA").map(({ payload }) => payload));
    const { chunks } = parseChunks(body);
    expect(chunks.map(({ name }) => name)).toEqual(["FILE", "BLOCK", "BLOCK", "BLOCK", "BLOCK", "SEAL"]);
    const blocks = chunks.filter(({ name }) => name === "BLOCK");
    expect(Buffer.concat(blocks.map(({ payload }) => payload))).toHaveLength(BIG);
    peer.abort();
    await stopped;
  });

  test("cuts a transfer off at the deadline", async () => {
    const clock = new FakeClock();
    await using server = new TestServer({ clock });
    server.storage.set("big", new Uint8Array(BIG));
    await using peer = await RawPeer.admitted(server.listen(), { credit: 1_000 });
    peer.send(getting("big"));
    await peer.next("DATA");
    const stopped = server.server.shutdown(10_000);
    await peer.next("GOAWAY");
    await clock.advance(9_999);
    expect(peer.ended).toBe(false);
    await clock.advance(1);
    await until(() => peer.ended);
    peer.abort();
    await stopped;
  });

  test("refuses waiting clients, and those not admitted yet", async () => {
    await using server = new TestServer({ maxClients: 1 });
    const port = server.listen();
    await using _ = await RawPeer.admitted(port);
    await using queued = await RawPeer.connect(port);
    queued.send(frame("HELLO", { ...HELLO, wait: true }));
    await queued.next("QUEUED");
    await using silent = await RawPeer.connect(port);
    await until(() => server.server.seats.waiting === 1);
    void server.server.shutdown(10_000);
    for (const peer of [queued, silent]) expect((await peer.next("REFUSE")).json.code).toBe(13);
  });

  test("an OPEN that crosses GOAWAY is answered with RESET", async () => {
    await using server = new TestServer();
    server.storage.set("big", new Uint8Array(BIG));
    await using peer = await RawPeer.admitted(server.listen(), { credit: 1_000 });
    peer.send(getting("big"));
    await peer.next("DATA");
    void server.server.shutdown(60_000);
    await peer.next("GOAWAY");
    peer.send(frame("OPEN", { method: "status" }, 3, 1));
    expect(await peer.next("RESET")).toMatchObject({ stream: 3, json: { code: 13 } });
  });

  test("ends the operator's stream of events in order, with the departures in it", async () => {
    await using server = new TestServer();
    await server.tcpClient();
    const operator = await server.operator();
    const seen: string[] = [];
    const watching = (async () => {
      for await (const { event } of operator.events()) seen.push(event);
    })();
    await until(() => seen.length > 0 || operator.drain(true).then(() => seen.length > 0));
    void server.server.shutdown(10_000);
    await watching;
    expect(seen).toContain("stopping");
    expect(seen).toContain("left");
  });

  test("after kick the client gets the reason, and its seat is free", async () => {
    await using server = new TestServer({ maxClients: 1 });
    const victim = await server.tcpClient();
    const operator = await server.operator();
    await operator.kick("client01", "too loud");
    expect(await victim.ended).toMatchObject({
      by: "remote",
      code: "KICKED",
      message: expect.stringContaining("too loud"),
    });
    expect((await server.tcpClient()).name).toBe("Client02");
    expect((await operator.client.status()).sessions.at(-1)).toMatchObject({ name: "Client01", reason: "kicked" });
  });
});
