import { describe, expect, test } from "bun:test";
import { frame, HELLO } from "../support/frames.ts";
import { addresses, admittedPeer, CODES, clientFrom, peerOf } from "../support/limits.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { TestServer } from "../support/test-server.ts";
import { until } from "../support/until.ts";

const ALL = "Too many clients connect at once. Please try again later.";
const ADDRESS = "Too many clients connect from your address at once. Please try again later.";

describe("peers that have not said who they are", () => {
  test("are so many in all: the next is refused unheard, and who was here goes on", async () => {
    await using server = new TestServer({ maxUnadmitted: 4 });
    const honest = await clientFrom(server);
    const silent = addresses(4).map((from) => peerOf(server, { from }));
    const late = peerOf(server, { from: "203.0.113.1:5" });
    await until(() => late.ended);
    expect(late.frames.map(({ name }) => name)).toEqual(["REFUSE"]);
    expect(late.last("REFUSE")?.json).toEqual({ code: CODES.UNAVAILABLE, message: ALL });
    expect(silent.map(({ frames }) => frames.length)).toEqual([0, 0, 0, 0]);
    expect((await honest.send("still here")).text).toBe("still here ACK");
    expect(server.events.at(-2)).toMatchObject({ event: "refused", code: "UNAVAILABLE", address: "203.0.113.1:5" });
  });

  test("make room when they say who they are, when they leave, and when they are refused", async () => {
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

  test("who waits for a seat is none of them", async () => {
    await using server = new TestServer({ maxUnadmitted: 1, maxClients: 1 });
    const honest = await clientFrom(server);
    for (const from of addresses(5)) {
      const peer = peerOf(server, { from });
      await peer.send(frame("HELLO", { ...HELLO, wait: true }));
      expect(peer.last("QUEUED")).toBeDefined();
    }
    expect((await honest.send("hi")).text).toBe("hi ACK");
  });

  test("of one address are so many: others come in beside them", async () => {
    await using server = new TestServer({ maxUnadmittedPerAddress: 3 });
    const from = (port: number) => ({ from: `198.51.100.7:${port}` });
    const silent = [1, 2, 3].map((port) => peerOf(server, from(port)));
    const late = peerOf(server, from(4));
    await until(() => late.ended);
    expect(late.last("REFUSE")?.json).toEqual({ code: CODES.UNAVAILABLE, message: ADDRESS });
    const honest = await clientFrom(server);
    expect((await honest.send("beside")).text).toBe("beside ACK");
    await silent[0]?.send(frame("HELLO", HELLO));
    expect(silent[0]?.last("WELCOME")).toBeDefined();
    expect((await clientFrom(server, from(5))).name).toBe("Client03");
  });

  test("of one /64 network of IPv6 count together", async () => {
    await using server = new TestServer({ maxUnadmittedPerAddress: 2 });
    for (const host of ["2001:db8:0:7::1", "2001:db8:0:7:ffff::2"]) peerOf(server, { from: `[${host}]:5` });
    const late = peerOf(server, { from: "[2001:db8:0:7:1:2:3:4]:5" });
    await until(() => late.ended);
    expect(late.last("REFUSE")?.json).toMatchObject({ message: ADDRESS });
    await admittedPeer(server, { from: "[2001:db8:0:8::1]:5" });
  });
});

describe("links of peers that were refused and do not go", () => {
  const [maxClients, maxWaiting, maxUnadmitted] = [1, 0, 2];
  const MOST = maxClients + maxWaiting + 4 * maxUnadmitted;

  test("are so many: more are cut off without a word, until those are gone", async () => {
    await using server = new TestServer({ maxClients, maxWaiting, maxUnadmitted });
    const port = server.listen();
    const honest = await server.tcpClient();
    const peers: RawPeer[] = [];
    for (let count = 0; count < 3 * MOST; count++) peers.push(await RawPeer.connect(port));
    const isCut = (peer: RawPeer) => peer.closed && peer.frames.length === 0;
    await until(() => peers.filter(isCut).length >= 2 * MOST);
    expect(peers.filter(({ frames }) => frames.length > 0).length).toBeLessThanOrEqual(MOST);
    expect((await honest.send("still here")).text).toBe("still here ACK");
    for (const peer of peers) peer.abort();
    await honest.close();
    const next = await until(() => server.tcpClient().catch(() => undefined));
    expect((await next.send("after it")).text).toBe("after it ACK");
  });

  test("and strangers in their handshake do not keep the operator out, who comes by the socket in the state folder", async () => {
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
