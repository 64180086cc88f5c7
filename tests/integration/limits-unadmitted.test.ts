import { describe, expect, test } from "bun:test";
import { ScramClient } from "../../lib/session/scram-client.ts";
import { AccessServer, challengeOf } from "../support/access-server.ts";
import { frame, HELLO } from "../support/frames.ts";
import { addresses, admittedPeer, CODES, clientFrom, peerOf } from "../support/limits.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { TestServer } from "../support/test-server.ts";
import { until } from "../support/until.ts";

const ALL = "Too many clients connect at once. Please try again later.";
const ADDRESS = "Too many clients connect from your address at once. Please try again later.";

describe("peers that have not authenticated", () => {
  test("are limited in total: the one silent for longest makes room, and a new one is served", async () => {
    await using server = new TestServer({ maxUnadmitted: 4 });
    const honest = await clientFrom(server);
    const silent = addresses(4).map((from) => peerOf(server, { from }));
    const late = peerOf(server, { from: "203.0.113.1:5" });
    await until(() => silent[0]?.ended);
    expect(silent[0]?.last("REFUSE")?.json).toEqual({ code: CODES.UNAVAILABLE, message: ALL });
    expect([...silent.slice(1), late].map(({ frames }) => frames.length)).toEqual([0, 0, 0, 0]);
    expect((await honest.send("still here")).text).toBe("still here ACK");
    expect(server.events.at(-2)).toMatchObject({
      event: "refused",
      code: "UNAVAILABLE",
      address: "198.51.100.1:50000",
    });
    await late.send(frame("HELLO", HELLO));
    expect(late.last("WELCOME")).toBeDefined();
  });

  test("of the address that has the most make room for others, not those that come alone", async () => {
    await using server = new TestServer({ maxUnadmitted: 4, maxClients: 8 });
    const slow = peerOf(server, { from: "203.0.113.1:5" });
    const crowd = [1, 2, 3].map((port) => peerOf(server, { from: `198.51.100.7:${port}` }));
    const late = peerOf(server, { from: "203.0.113.2:5" });
    await until(() => crowd[0]?.ended);
    for (const peer of [slow, late]) {
      await peer.send(frame("HELLO", HELLO));
      expect(peer.last("WELCOME")).toBeDefined();
    }
  });

  test("make room for a client that makes progress, which is served each time while ever more of them come", async () => {
    await using server = new AccessServer({ maxUnadmitted: 8, maxUnadmittedPerAddress: 4, maxClients: 50 });
    const token = server.issue("laptop");
    for (let round = 0; round < 20; round++) {
      for (let count = 0; count < 10; count++) await server.transport("memory", "198.51.100.7:9");
      const { peer } = await server.peer("memory", "198.51.100.7:1");
      const scram = new ScramClient(token, undefined);
      const challenge = await challengeOf(peer, scram);
      for (let count = 0; count < 3; count++) await server.transport("memory", "198.51.100.7:9");
      await peer.send(frame("AUTH", { message: (await scram.answer(challenge)).message }));
      expect(peer.last("WELCOME")).toBeDefined();
    }
  });

  test("that ask for a challenge and never answer keep nobody out either", async () => {
    await using server = new AccessServer({ maxUnadmittedPerAddress: 4, maxClients: 50 });
    const token = server.issue("laptop");
    for (let round = 0; round < 20; round++) {
      for (let count = 0; count < 4; count++) {
        const { peer } = await server.peer("memory", "198.51.100.7:9");
        await challengeOf(peer, new ScramClient(token, undefined));
      }
      expect((await server.client(token, { from: "198.51.100.7:1" })).role).toBe("read");
    }
  });

  test("make room when they authenticate, when they leave, and when they are refused", async () => {
    await using server = new TestServer({ maxUnadmitted: 2, maxClients: 8 });
    const steps: ((peer: ReturnType<typeof peerOf>) => Promise<void>)[] = [
      (peer) => peer.send(frame("HELLO", HELLO)),
      (peer) => peer.close(),
      (peer) => peer.send(Buffer.from("GET / HTTP/1.1\r\n\r\n")),
    ];
    for (const step of steps) {
      const [one, other] = addresses(2).map((from) => peerOf(server, { from }));
      await step(one as ReturnType<typeof peerOf>);
      const honest = await clientFrom(server);
      await honest.close();
      await other?.close();
    }
  });

  test("are no more than that after others were refused: those take the place of nobody who could make room", async () => {
    await using server = new TestServer({ maxUnadmitted: 2, maxClients: 8 });
    for (const peer of addresses(2).map((from) => peerOf(server, { from }))) {
      await peer.send(Buffer.from("GET / HTTP/1.1\r\n\r\n"));
    }
    const silent = [1, 2, 3, 4].map((host) => peerOf(server, { from: `203.0.113.${host}:5` }));
    await until(() => silent[1]?.ended);
    const refused = silent.map((peer) => peer.last("REFUSE")?.json);
    const words = { code: CODES.UNAVAILABLE, message: ALL };
    expect(refused).toEqual([words, words, undefined, undefined]);
  });

  test("a peer that waits for a seat does not count", async () => {
    await using server = new TestServer({ maxUnadmitted: 1, maxClients: 1 });
    const honest = await clientFrom(server);
    for (const from of addresses(5)) {
      const peer = peerOf(server, { from });
      await peer.send(frame("HELLO", { ...HELLO, wait: true }));
      expect(peer.last("QUEUED")).toBeDefined();
    }
    expect((await honest.send("hi")).text).toBe("hi ACK");
  });

  test("are limited per address: other addresses get in, and so do new ones from this address", async () => {
    await using server = new TestServer({ maxUnadmittedPerAddress: 3 });
    const from = (port: number) => ({ from: `198.51.100.7:${port}` });
    const silent = [1, 2, 3].map((port) => peerOf(server, from(port)));
    const late = peerOf(server, from(4));
    await until(() => silent[0]?.ended);
    expect(silent[0]?.last("REFUSE")?.json).toEqual({ code: CODES.UNAVAILABLE, message: ADDRESS });
    const honest = await clientFrom(server);
    expect((await honest.send("beside")).text).toBe("beside ACK");
    await late.send(frame("HELLO", HELLO));
    expect(late.last("WELCOME")).toBeDefined();
    expect((await clientFrom(server, from(5))).name).toBe("Client03");
    expect(silent.slice(1).map(({ frames }) => frames.length)).toEqual([0, 0]);
  });

  test("of one /64 network of IPv6 count together", async () => {
    await using server = new TestServer({ maxUnadmittedPerAddress: 2 });
    const hosts = ["2001:db8:0:7::1", "2001:db8:0:7:ffff::2", "2001:db8:0:7:1:2:3:4"];
    const [first] = hosts.map((host) => peerOf(server, { from: `[${host}]:5` }));
    await until(() => first?.ended);
    expect(first?.last("REFUSE")?.json).toMatchObject({ message: ADDRESS });
    await admittedPeer(server, { from: "[2001:db8:0:8::1]:5" });
  });
});

describe("links of peers that were refused and do not go", () => {
  const [maxClients, maxWaiting, maxUnadmitted] = [1, 0, 2];
  const MOST = maxClients + maxWaiting + 4 * maxUnadmitted;

  test("are limited: those that ended longest ago are cut off, and a newcomer gets in each time", async () => {
    await using server = new TestServer({ maxClients: maxClients + 1, maxWaiting, maxUnadmitted });
    const port = server.listen();
    const honest = await server.tcpClient();
    const peers: RawPeer[] = [];
    for (let round = 0; round < 3; round++) {
      for (let count = 0; count < MOST; count++) peers.push(await RawPeer.connect(port));
      const next = await server.tcpClient();
      expect((await next.send("beside them")).text).toBe("beside them ACK");
      await next.close();
    }
    await until(() => peers.filter(({ closed }) => !closed).length <= MOST + 1);
    expect((await honest.send("still here")).text).toBe("still here ACK");
    for (const peer of peers) peer.abort();
  });

  test("are also those of sessions that have ended and do not close, which keep nobody out", async () => {
    await using server = new TestServer({ maxClients: 2, maxWaiting, maxUnadmitted });
    const ended: RawPeer[] = [];
    for (let count = 0; count < 2 * MOST; count++) {
      const peer = await RawPeer.admitted(server.listen());
      peer.send(frame("GOAWAY", { code: 0, message: "exit" }));
      await until(() => peer.ended);
      ended.push(peer);
    }
    const next = await server.tcpClient();
    expect((await next.send("beside them")).text).toBe("beside them ACK");
    for (const peer of ended) peer.abort();
  });

  test("and unauthenticated peers do not keep the operator out, who uses the socket in the state folder", async () => {
    await using server = new TestServer({ maxClients, maxWaiting, maxUnadmitted });
    const port = server.listen();
    const peers: RawPeer[] = [];
    for (let count = 0; count < MOST; count++) peers.push(await RawPeer.connect(port));
    await until(() => peers.filter(({ frames }) => frames.length > 0).length >= MOST - maxUnadmitted - maxClients);
    const operator = await server.operator();
    expect((await operator.client.send("who is there?")).text).toBe("who is there? ACK");
    for (const peer of peers) peer.abort();
  });
});
