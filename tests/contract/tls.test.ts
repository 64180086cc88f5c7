import { describe, expect, test } from "bun:test";
import { connect as connectTls } from "node:tls";
import type { Socket, TCPSocketListener } from "bun";
import { CommError } from "../../lib/errors.ts";
import type { Address } from "../../lib/transport/address.ts";
import { connect, type Listening, listen } from "../../lib/transport/socket.ts";
import { formatFingerprint, type TlsPeer } from "../../lib/transport/tls.ts";
import { testIdentity } from "../support/identity.ts";
import { SocketPair } from "../support/socket-pair.ts";
import { TransportRecorder } from "../support/transport-recorder.ts";
import { until } from "../support/until.ts";

/** What TLS adds to a socket: who the other end is, and that nothing passes before that is known. */

const HERE = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
const TIMEOUT = { timeoutMs: 5_000 };
const ANYONE = { verify() {} };

/** A server of another make, which keeps the bytes that come through. */
class Stranger implements Disposable {
  readonly received: Buffer[] = [];
  sockets: Socket<undefined>[] = [];
  readonly #listener: TCPSocketListener<undefined>;
  readonly address: Address;

  constructor(tls?: object, greeting?: string) {
    this.#listener = Bun.listen<undefined>({
      hostname: "127.0.0.1",
      port: 0,
      ...(tls !== undefined && { tls }),
      socket: {
        open: (socket) => {
          this.sockets.push(socket);
          if (greeting !== undefined) socket.write(greeting);
        },
        data: (_, bytes) => void this.received.push(Buffer.from(bytes)),
        error() {},
      },
    });
    this.address = { ...HERE, port: this.#listener.port };
  }

  [Symbol.dispose](): void {
    for (const socket of this.sockets) socket.terminate();
    this.#listener.stop(true);
  }
}

/** A server of ours; `closes` are the reasons for which its transports ended. */
async function ours(): Promise<{ listening: Listening; recorders: TransportRecorder[] } & Disposable> {
  const recorders: TransportRecorder[] = [];
  const listening = listen(
    HERE,
    (transport) => recorders.push(new TransportRecorder(transport).start()),
    await testIdentity(),
  );
  return { listening, recorders, [Symbol.dispose]: () => listening.stop() };
}

const portOf = ({ address }: { address: Address }) => (address.kind === "tcp" ? address.port : 0);

/** What a client of node:tls gets: the protocol, or the error's code. */
function nodeClient(port: number, options: object): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options });
    socket.on("secureConnect", () => {
      socket.on("close", () => resolve("closed after the handshake"));
    });
    socket.on("error", () => resolve("refused in the handshake"));
    socket.on("close", () => resolve("closed in the handshake"));
  });
}

describe("both ends", () => {
  test("have the same binding, of 32 bytes, and another for each connection", async () => {
    await using first = await SocketPair.tls();
    await using second = await SocketPair.tls();
    const [a, b, c] = [first.connected, first.accepted, second.connected].map(({ channelBinding }) =>
      Buffer.from(channelBinding as Uint8Array).toString("hex"),
    );
    expect(a).toMatch(/^[0-9a-f]{64}$/);
    expect(b).toBe(a as string);
    expect(c).not.toBe(a as string);
  });

  test("without TLS there is no binding", async () => {
    await using pair = await SocketPair.tcp();
    expect([pair.connected.channelBinding, pair.accepted.channelBinding]).toEqual([undefined, undefined]);
  });

  test("the kernel sends no file past the encryption", async () => {
    await using pair = await SocketPair.tls();
    expect([pair.connected.canSendFiles, pair.accepted.canSendFiles]).toEqual([false, false]);
  });
});

describe("a client", () => {
  test("is told the certificate's fingerprint, and that nobody vouches for it", async () => {
    using server = await ours();
    const peers: TlsPeer[] = [];
    const transport = await connect(server.listening.address, {
      ...TIMEOUT,
      trust: { verify: (peer) => void peers.push(peer) },
    });
    transport.abort();
    expect(peers).toEqual([
      { fingerprint: formatFingerprint((await testIdentity()).digest), fault: expect.stringMatching(/self.signed/) },
    ]);
  });

  test("that does not trust the server sends it not one byte", async () => {
    const { cert, key } = await testIdentity();
    using server = new Stranger({ cert, key, ALPNProtocols: "\x0ccommserver/1" });
    const wrong = new CommError("WRONG_IDENTITY", "not this one");
    const verify = () => {
      throw wrong;
    };
    await expect(connect(server.address, { ...TIMEOUT, trust: { verify } })).rejects.toBe(wrong);
    // A connection that is trusted, made later: what the first one sent would be here by then.
    const transport = await connect(server.address, { ...TIMEOUT, trust: ANYONE });
    transport.write(Buffer.from("HELLO"));
    await until(() => server.received.length > 0);
    expect(Buffer.concat(server.received).toString()).toBe("HELLO");
    transport.abort();
  });

  test("that waits for the handshake writes nothing in the clear", async () => {
    using server = new Stranger();
    const attempt = connect(server.address, { timeoutMs: 100, trust: ANYONE });
    await expect(attempt).rejects.toMatchObject({ code: "TIMEOUT" });
    const bytes = Buffer.concat(server.received);
    expect(bytes[0]).toBe(0x16); // a record of the handshake, ClientHello
    expect(bytes.includes("commserver/1")).toBe(true);
  });

  test("gives up when the server takes the connection and never shakes hands", async () => {
    using server = new Stranger();
    await expect(connect(server.address, { timeoutMs: 50, trust: ANYONE })).rejects.toMatchObject({
      code: "TIMEOUT",
      message: expect.stringContaining("within 0.05 s"),
    });
  });

  test("can be interrupted in the handshake", async () => {
    using server = new Stranger();
    const stop = new AbortController();
    const attempt = connect(server.address, { ...TIMEOUT, signal: stop.signal, trust: ANYONE });
    await until(() => server.received.length > 0);
    stop.abort();
    await expect(attempt).rejects.toMatchObject({ code: "INTERRUPTED" });
  });

  const strangers: [string, () => Promise<Stranger>][] = [
    ["names no protocol inside TLS", async () => new Stranger(pem(await testIdentity()))],
    ["names another", async () => new Stranger({ ...pem(await testIdentity()), ALPNProtocols: "\x08http/1.1" })],
    ["speaks no TLS and talks first", async () => new Stranger(undefined, "220 smtp ready\r\n")],
    ["speaks HTTP", async () => new Stranger(undefined, "HTTP/1.1 400 Bad Request\r\n\r\n")],
    [
      "offers nothing above TLS 1.2",
      async () => new Stranger({ ...pem(await testIdentity()), ALPNProtocols: "\x0ccommserver/1", maxVersion: 0x303 }),
    ],
  ];
  test.each(strangers)("refuses a server that %s, before it judges its identity", async (_, make) => {
    using server = await make();
    let judged = 0;
    const attempt = connect(server.address, { ...TIMEOUT, trust: { verify: () => void judged++ } });
    await expect(attempt).rejects.toMatchObject({ code: "TLS_FAILED", message: expect.stringContaining("No TLS") });
    expect(judged).toBe(0);
  });

  test("refuses a server that closes during the handshake", async () => {
    using server = new Stranger();
    const attempt = connect(server.address, { ...TIMEOUT, trust: ANYONE });
    await until(() => server.received.length > 0);
    for (const socket of server.sockets) socket.end();
    await expect(attempt).rejects.toMatchObject({ code: "TLS_FAILED" });
  });

  test("does not fall back: without TLS on the other side there is no connection", async () => {
    const heard: TransportRecorder[] = [];
    const plain = listen(HERE, (transport) => heard.push(new TransportRecorder(transport).start()));
    const attempt = connect(plain.address, { timeoutMs: 200, trust: ANYONE });
    await expect(attempt).rejects.toBeInstanceOf(CommError);
    plain.stop();
    for (const { transport } of heard) transport.abort();
  });
});

describe("a server", () => {
  const own = { ALPNProtocols: ["commserver/1"] };

  test("takes TLS 1.3 with its protocol, of any client", async () => {
    using server = await ours();
    const socket = connectTls({ host: "127.0.0.1", port: portOf(server.listening), rejectUnauthorized: false, ...own });
    await new Promise((resolve) => socket.on("secureConnect", resolve));
    expect({ protocol: socket.getProtocol(), alpn: socket.alpnProtocol }).toEqual({
      protocol: "TLSv1.3",
      alpn: "commserver/1",
    });
    socket.destroy();
  });

  test.each([
    ["TLS 1.2", { ...own, maxVersion: "TLSv1.2" }],
    ["no protocol inside", {}],
    ["another protocol inside", { ALPNProtocols: ["http/1.1"] }],
  ])("refuses a client with %s, and delivers nothing of it", async (_, options) => {
    using server = await ours();
    expect(await nodeClient(portOf(server.listening), options)).toMatch(/refused|closed/);
    await until(() => server.recorders[0]?.closes.length === 1);
    expect(server.recorders[0]?.closes[0]).toMatchObject({ code: "TLS_FAILED" });
    expect(server.recorders[0]?.byteCount).toBe(0);
  });

  test("refuses a peer without TLS, and delivers nothing from it", async () => {
    using server = await ours();
    const transport = await connect(server.listening.address, TIMEOUT);
    transport.write(Buffer.from("c501000000000000", "hex"));
    await until(() => server.recorders[0]?.closes.length === 1);
    expect(server.recorders[0]?.byteCount).toBe(0);
    transport.abort();
  });

  test("gets a connection before its handshake, so that it can end one that never finishes", async () => {
    using server = await ours();
    const silent = await connect(server.listening.address, TIMEOUT);
    const client = new TransportRecorder(silent).start();
    const accepted = await until(() => server.recorders[0]?.transport);
    expect(accepted.channelBinding).toBeUndefined();
    accepted.abort();
    await client.closed();
  });
});

const pem = ({ cert, key }: { cert: string; key: string }) => ({ cert, key });
