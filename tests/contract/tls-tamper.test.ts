import { describe, expect, test } from "bun:test";
import { connect, listen } from "../../lib/transport/socket.ts";
import { testIdentity } from "../support/identity.ts";
import { type Direction, LinkProxy, type Tap } from "../support/link-proxy.ts";
import { TransportRecorder } from "../support/transport-recorder.ts";
import { until } from "../support/until.ts";

/** What somebody on the way can do to a connection with TLS: end it, and nothing else. */

const WORDS = Buffer.from("what nobody else shall read or change, 0123456789 ".repeat(4));

/** Two ends with somebody between them, who does nothing until `meddle` is set. */
class Wire implements AsyncDisposable {
  meddle: ((direction: Direction, bytes: Buffer) => Buffer) | undefined;
  readonly seen: Buffer[] = [];
  client!: TransportRecorder;
  server!: TransportRecorder;
  #stop: (() => void)[] = [];

  static async open(): Promise<Wire> {
    const wire = new Wire();
    const accepting = Promise.withResolvers<TransportRecorder>();
    const listening = listen(
      { kind: "tcp", host: "127.0.0.1", port: 0 },
      (transport) => accepting.resolve(new TransportRecorder(transport).start()),
      await testIdentity(),
    );
    const tap: Tap = {
      pass(direction, bytes) {
        wire.seen.push(Buffer.from(bytes));
        return wire.meddle?.(direction, bytes) ?? bytes;
      },
    };
    const proxy = new LinkProxy(listening.address.kind === "tcp" ? listening.address.port : 0, () => tap);
    wire.#stop = [() => proxy[Symbol.dispose](), () => listening.stop()];
    const address = { kind: "tcp", host: "127.0.0.1", port: proxy.port } as const;
    wire.client = new TransportRecorder(await connect(address, { timeoutMs: 5_000, trust: { verify() {} } })).start();
    wire.server = await accepting.promise;
    await until(() => wire.server.transport.channelBinding !== undefined);
    // Tickets of the handshake that may still be on their way go through as they are.
    wire.client.transport.write(WORDS);
    wire.server.transport.write(WORDS);
    await Promise.all([wire.client.received(WORDS.length), wire.server.received(WORDS.length)]);
    return wire;
  }

  end(direction: Direction): { sender: TransportRecorder; receiver: TransportRecorder } {
    const [sender, receiver] = direction === "up" ? [this.client, this.server] : [this.server, this.client];
    return { sender, receiver };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { transport } of [this.client, this.server]) transport.abort();
    for (const stop of this.#stop) stop();
  }
}

test("what passes can't be read on the way", async () => {
  await using wire = await Wire.open();
  const passed = Buffer.concat(wire.seen);
  expect(passed.length).toBeGreaterThan(2 * WORDS.length);
  expect(passed.includes(WORDS.subarray(0, 12))).toBe(false);
});

describe.each(["up", "down"] as const)("%s", (direction) => {
  const changes: [string, (bytes: Buffer) => Buffer][] = [
    ["a bit changed", (bytes) => Buffer.from(bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte)))],
    ["the length changed", (bytes) => Buffer.from(bytes.map((byte, at) => (at === 4 ? byte ^ 1 : byte)))],
    ["a record twice", (bytes) => Buffer.concat([bytes, bytes])],
    ["plain bytes put in", (bytes) => Buffer.concat([Buffer.from("c501000000000000", "hex"), bytes])],
    [
      "a record that says that it is plain",
      (bytes) => Buffer.concat([Buffer.from("1703030004c5010000", "hex"), bytes]),
    ],
  ];
  test.each(changes)("%s ends the connection, and nothing false is delivered", async (_, change) => {
    await using wire = await Wire.open();
    const { sender, receiver } = wire.end(direction);
    wire.meddle = (way, bytes) => (way === direction ? change(bytes) : bytes);
    sender.transport.write(WORDS);
    // A length that is too great waits for more: another piece brings it.
    const more = setInterval(() => sender.transport.write(WORDS), 5);
    await receiver.closed();
    clearInterval(more);
    const delivered = receiver.bytes.subarray(WORDS.length);
    // A record that was passed on before the false one was true.
    expect(delivered.equals(WORDS.subarray(0, delivered.length))).toBe(true);
    expect(delivered.length).toBeLessThanOrEqual(WORDS.length);
  });
});
