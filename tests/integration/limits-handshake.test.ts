import { describe, expect, test } from "bun:test";
import { Client } from "../../lib/client/client.ts";
import { systemClock } from "../../lib/session/clock.ts";
import { connect, type Listening, listen } from "../../lib/transport/socket.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { frame, HELLO } from "../support/frames.ts";
import { testIdentity } from "../support/identity.ts";
import { CODES, clientFrom, peerOf } from "../support/limits.ts";
import type { MemoryPeer } from "../support/memory-peer.ts";
import { TestServer } from "../support/test-server.ts";
import { until } from "../support/until.ts";

const HANDSHAKE_MS = 10_000;
const LATE = { code: CODES.HANDSHAKE_TIMEOUT, message: "The handshake was not complete within 10 s." };
const FIRST = "n,,n=nobody,r=rOprNGfwEbeRWgbNEkqO";

const slow: [string, (peer: MemoryPeer, second: number) => Promise<void>][] = [
  ["says nothing", async () => {}],
  [
    "sends HELLO a byte at a time",
    async (peer, second) => {
      await peer.send(frame("HELLO", HELLO).subarray(second, second + 1));
    },
  ],
  [
    "sends the head of HELLO and keeps the rest",
    async (peer, second) => {
      if (second === 0) await peer.send(frame("HELLO", HELLO).subarray(0, 20));
    },
  ],
  [
    "asks for a challenge and does not answer it",
    async (peer, second) => {
      if (second === 0) {
        await peer.send(frame("HELLO", { ...HELLO, auth: { mechanism: "SCRAM-SHA-256", message: FIRST } }));
        expect(peer.names).toEqual(["AUTH"]);
      }
    },
  ],
  [
    "sends its AUTH a byte at a time",
    async (peer, second) => {
      const auth = { mechanism: "SCRAM-SHA-256", message: FIRST };
      const bytes = Buffer.concat([frame("HELLO", { ...HELLO, auth }), frame("AUTH", { message: "c=biws,r=x,p=x" })]);
      const helloBytes = frame("HELLO", { ...HELLO, auth }).length;
      await peer.send(
        second === 0 ? bytes.subarray(0, helloBytes) : bytes.subarray(helloBytes + second - 1, helloBytes + second),
      );
    },
  ],
];

test.each(slow)("a peer that %s is refused when its time is over, and nobody beside it waits", async (_, act) => {
  const clock = new FakeClock();
  await using server = new TestServer({ clock, handshakeMs: HANDSHAKE_MS });
  const peer = peerOf(server, { role: "nobody", from: "198.51.100.7:1" });
  for (let second = 0; second < 10; second++) {
    await act(peer, second);
    expect(peer.last("REFUSE")).toBeUndefined();
    await clock.advance(second === 9 ? 999 : 1_000);
    const honest = await clientFrom(server);
    await honest.close();
  }
  await clock.advance(1);
  expect(peer.last("REFUSE")?.json).toEqual(LATE);
  await until(() => peer.ended);
  expect(server.events).toContainEqual(expect.objectContaining({ event: "refused", code: "HANDSHAKE_TIMEOUT" }));
});

test("a client that was admitted, or waits, is not refused for it later, and no timer is left", async () => {
  const clock = new FakeClock();
  await using server = new TestServer({ clock, maxClients: 1, handshakeMs: HANDSHAKE_MS });
  const seated = await clientFrom(server);
  const positions: number[] = [];
  const waiting = clientFrom(server, {}, { wait: true, onQueued: (position) => positions.push(position) });
  await until(() => positions.length === 1);
  await clock.advance(HANDSHAKE_MS);
  await clock.advance(HANDSHAKE_MS);
  expect((await seated.send("hi")).text).toBe("hi ACK");
  await seated.close();
  expect((await waiting).name).toBe("Client02");
});

describe("over TLS", () => {
  class TlsSite implements AsyncDisposable {
    readonly clock = new FakeClock();
    readonly server = new TestServer({ clock: this.clock, handshakeMs: HANDSHAKE_MS, maxUnadmitted: 4 });
    #listening!: Listening;

    static async open(): Promise<TlsSite> {
      const site = new TlsSite();
      const accept = site.server.server;
      const at = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
      site.#listening = listen(at, (transport) => accept.accept(transport, "write"), await testIdentity());
      return site;
    }

    get port(): number {
      const { address } = this.#listening;
      return address.kind === "tcp" ? address.port : 0;
    }

    async client(): Promise<Client> {
      const transport = await connect(this.#listening.address, { timeoutMs: 20_000, trust: { verify() {} } });
      return Client.connect({ transport, clock: systemClock, agent: "honest", wait: false, timeoutMs: 20_000 });
    }

    async [Symbol.asyncDispose](): Promise<void> {
      this.#listening.stop();
      await this.server[Symbol.asyncDispose]();
    }
  }

  /** A connection without TLS, and whether it is over. */
  async function rawSocket(port: number) {
    const state = { isOver: false };
    const over = () => {
      state.isOver = true;
    };
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: { data() {}, close: over, end: over, error: over },
    });
    return { socket, state };
  }

  /** The first bytes of a ClientHello: a record of 512 bytes that never comes whole. */
  const BEGUN = Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]);

  test.each([
    ["never begins", Buffer.alloc(0)],
    ["begins and never ends", BEGUN],
  ])("a peer that %s the handshake of TLS is cut off when its time is over", async (_, bytes) => {
    await using site = await TlsSite.open();
    const honest = await site.client();
    const { socket, state } = await rawSocket(site.port);
    socket.write(bytes);
    await until(async () => {
      await site.clock.advance(1_000);
      return site.server.events.some((event) => event.event === "refused" && event.code === "HANDSHAKE_TIMEOUT");
    });
    await until(() => state.isOver);
    expect((await honest.send("beside it")).text).toBe("beside it ACK");
    const next = await site.client();
    await Promise.all([next.close(), honest.close()]);
  });

  test("a peer that never ends its TLS handshake counts as unadmitted, and keeps nobody out", async () => {
    await using site = await TlsSite.open();
    const honest = await site.client();
    const sockets = await Promise.all(Array.from({ length: 4 }, () => rawSocket(site.port)));
    await until(() => site.server.events.length === 1); // of the honest one
    const next = await site.client();
    await until(() => sockets.filter(({ state }) => state.isOver).length === 1);
    expect(site.server.events).toContainEqual(expect.objectContaining({ event: "refused", code: "UNAVAILABLE" }));
    for (const client of [honest, next]) expect((await client.send("hi")).text).toBe("hi ACK");
    for (const { socket } of sockets) socket.terminate();
  });
});
