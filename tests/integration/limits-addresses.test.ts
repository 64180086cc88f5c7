import { describe, expect, test } from "bun:test";
import type { Token } from "../../lib/protocol/token.ts";
import { AccessServer } from "../support/access-server.ts";
import { frame, HELLO, type RawFrame } from "../support/frames.ts";
import { addresses, admittedPeer, CODES, clientFrom, peerOf } from "../support/limits.ts";
import { TestServer } from "../support/test-server.ts";
import { until } from "../support/until.ts";

const CROWDED = { code: "TOO_MANY_SESSIONS", message: "Your address has as many sessions as the server allows." };
const at = (host: string, port = 1) => ({ from: `${host}:${port}` });
const A = "198.51.100.7";
const B = "198.51.100.8";

describe("sessions of one address", () => {
  test("are so many: more are refused, and others come in beside them", async () => {
    await using server = new TestServer({ maxPerAddress: 2, maxClients: 8 });
    const [one, two] = [await clientFrom(server, at(A, 1)), await clientFrom(server, at(A, 2))];
    await expect(clientFrom(server, at(A, 3))).rejects.toMatchObject(CROWDED);
    const beside = await clientFrom(server, at(B));
    for (const client of [one, two, beside]) expect((await client.send("hi")).text).toBe("hi ACK");
    expect(server.events).toContainEqual(expect.objectContaining({ event: "refused", code: "TOO_MANY_SESSIONS" }));
  });

  test("a client that may wait is refused as well: there may be seats, but none for this address", async () => {
    await using server = new TestServer({ maxPerAddress: 1, maxClients: 8 });
    await clientFrom(server, at(A));
    await expect(clientFrom(server, at(A), { wait: true })).rejects.toMatchObject(CROWDED);
    expect(server.server.seats).toMatchObject({ taken: 1, waiting: 0 });
  });

  test("and its places in the queue count together", async () => {
    await using server = new TestServer({ maxPerAddress: 2, maxClients: 1 });
    const seated = await clientFrom(server, at(A));
    const waiting = clientFrom(server, at(A), { wait: true });
    await until(() => server.server.seats.waiting === 1);
    await expect(clientFrom(server, at(A), { wait: true })).rejects.toMatchObject(CROWDED);
    await seated.close();
    // Its seat goes to the one who waits, who has one place before and after.
    const next = await waiting;
    const another = clientFrom(server, at(A), { wait: true });
    await until(() => server.server.seats.waiting === 1);
    await expect(clientFrom(server, at(A), { wait: true })).rejects.toMatchObject(CROWDED);
    await next.close();
    await (await another).close();
  });

  test("of a /64 network of IPv6 are one address", async () => {
    await using server = new TestServer({ maxPerAddress: 2, maxClients: 8 });
    await admittedPeer(server, at("[2001:db8:0:7::1]"));
    await admittedPeer(server, at("[2001:db8:0:7:8::2]"));
    await expect(clientFrom(server, at("[2001:db8::7:9:0:0:3]"))).rejects.toMatchObject(CROWDED);
    await admittedPeer(server, at("[2001:db8:0:8::1]"));
  });

  test("without a token, or with another, leave those of each token alone", async () => {
    await using server = new AccessServer({ open: true, maxPerAddress: 2, maxClients: 8 });
    const [laptop, phone] = [server.issue("laptop"), server.issue("phone")];
    const come = (token?: Token) => server.client(token, { from: `${A}:1` });
    for (const token of [undefined, laptop, phone]) {
      await come(token);
      await come(token);
      await expect(come(token)).rejects.toMatchObject(CROWDED);
    }
  });

  test("that fill the queue make room in it for another's, and keep the places that are theirs", async () => {
    await using server = new TestServer({ maxClients: 1, maxWaiting: 4 });
    await clientFrom(server, at("203.0.113.1"));
    const crowd = [1, 2, 3, 4].map((port) => peerOf(server, at(A, port)));
    for (const peer of crowd) await peer.send(frame("HELLO", { ...HELLO, wait: true }));
    const honest = peerOf(server, at(B));
    await honest.send(frame("HELLO", { ...HELLO, wait: true }));
    expect(honest.last("QUEUED")?.json).toEqual({ position: 4 });
    expect(crowd.map((peer) => peer.last("REFUSE")?.json.code)).toEqual([
      ...Array<undefined>(3).fill(undefined),
      CODES.SERVER_FULL,
    ]);
    const another = peerOf(server, at(A, 5));
    await another.send(frame("HELLO", { ...HELLO, wait: true }));
    expect(another.last("REFUSE")?.json.code).toBe(CODES.SERVER_FULL);
    expect(server.server.seats.waiting).toBe(4);
  });

  test("operators do not count", async () => {
    await using server = new TestServer({ maxPerAddress: 1 });
    for (let count = 0; count < 4; count++) await admittedPeer(server, { from: "unix", role: "operator" });
  });

  const ends: [string, (peer: Awaited<ReturnType<typeof admittedPeer>>) => Promise<void>][] = [
    ["leaves", (peer) => peer.send(frame("GOAWAY", { code: 0, message: "exit" }))],
    ["closes", (peer) => peer.close()],
    ["breaks the protocol", (peer) => peer.send(Buffer.from("GET / HTTP/1.1\r\n\r\n"))],
  ];
  test.each(ends)("a client that %s makes room for another of its address", async (_, end) => {
    await using server = new TestServer({ maxPerAddress: 1, maxClients: 8 });
    for (let round = 0; round < 3; round++) {
      await end(await admittedPeer(server, at(A)));
      await until(() => server.server.seats.taken === 0);
    }
  });

  test("a client that leaves the queue makes room for another of its address", async () => {
    await using server = new TestServer({ maxPerAddress: 1, maxClients: 1 });
    await clientFrom(server, at(B));
    for (let round = 0; round < 3; round++) {
      const peer = peerOf(server, at(A));
      await peer.send(frame("HELLO", { ...HELLO, wait: true }));
      expect(peer.last("QUEUED")?.json).toEqual({ position: 1 });
      await peer.close();
      await until(() => server.server.seats.waiting === 0);
    }
  });

  test("a client that comes back from another address counts there, and no longer where it was", async () => {
    await using server = new TestServer({ maxPerAddress: 1, maxClients: 8 });
    const first = await admittedPeer(server, at(A), { resume: "" });
    const { name, resume } = (first.last("WELCOME") as RawFrame).json;
    await first.close();
    await until(() => server.events.some(({ event }) => event === "away"));
    // Its seat is kept: the address has no other.
    await expect(clientFrom(server, at(A))).rejects.toMatchObject(CROWDED);
    const back = await admittedPeer(server, at(B), { resume: resume.token });
    expect(back.last("WELCOME")?.json.name).toBe(name);
    await admittedPeer(server, at(A));
    await expect(clientFrom(server, at(B))).rejects.toMatchObject(CROWDED);
    await back.send(frame("GOAWAY", { code: 0, message: "exit" }));
    await until(() => server.server.seats.taken === 1);
    await admittedPeer(server, at(B));
  });

  test("racing from one address, exactly so many get in; racing from many, exactly as many as there are seats", async () => {
    const outcomesOf = async (server: TestServer, hosts: string[]) => {
      const peers = hosts.map((from) => peerOf(server, { from }));
      await Promise.all(peers.map((peer) => peer.send(frame("HELLO", HELLO))));
      return peers.map((peer) => (peer.last("WELCOME") ? "WELCOME" : peer.last("REFUSE")?.json.code));
    };
    await using few = new TestServer({ maxPerAddress: 5, maxClients: 50 });
    const crowded = await outcomesOf(
      few,
      Array.from({ length: 30 }, (_, port) => `${A}:${port + 1}`),
    );
    expect(crowded.filter((outcome) => outcome === "WELCOME")).toHaveLength(5);
    expect(crowded.filter((outcome) => outcome === CODES.TOO_MANY_SESSIONS)).toHaveLength(25);
    await using full = new TestServer({ maxPerAddress: 5, maxClients: 7 });
    const outcomes = await outcomesOf(full, addresses(30));
    expect(outcomes.filter((outcome) => outcome === "WELCOME")).toHaveLength(7);
    expect(outcomes.filter((outcome) => outcome === CODES.SERVER_FULL)).toHaveLength(23);
  });
});
