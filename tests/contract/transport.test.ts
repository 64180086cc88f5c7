import { expect, test } from "bun:test";
import { UNKNOWN_ADDRESS } from "../../lib/session/transport.ts";
import { traceTransport } from "../../lib/trace/traced-transport.ts";
import { memoryPair } from "../../lib/transport/memory-transport.ts";
import { SocketPair } from "../support/socket-pair.ts";
import { TransportRecorder } from "../support/transport-recorder.ts";
import { type TransportFixture, transportContract } from "./transport.ts";

transportContract("memory pair", async () => {
  const ends = memoryPair();
  return {
    ends,
    peerAddress: UNKNOWN_ADDRESS,
    async [Symbol.asyncDispose]() {
      for (const end of ends) end.abort();
    },
  };
});

transportContract("memory pair, traced", async () => {
  const peerAddress = { group: "192.0.2.7", isLoopback: true };
  const [a, b] = memoryPair(undefined, undefined, { a: peerAddress, b: peerAddress });
  return {
    peerAddress,
    ends: [traceTransport(a, () => {}), traceTransport(b, () => {})],
    async [Symbol.asyncDispose]() {
      a.abort();
      b.abort();
    },
  };
});

const SOCKETS = [
  ["TCP", SocketPair.tcp, "127.0.0.1"],
  ["TLS", SocketPair.tls, "127.0.0.1"],
  ["Unix socket", SocketPair.unix, "unix"],
] as const;

for (const [name, openPair, group] of SOCKETS) {
  transportContract(`${name}, from the connecting end`, async () => fixtureOf(await openPair(), false, group));
  transportContract(`${name}, from the accepting end`, async () => fixtureOf(await openPair(), true, group));
}

function fixtureOf(pair: SocketPair, swapped: boolean, group: string): TransportFixture {
  const { connected, accepted } = pair;
  return {
    peerAddress: { group, isLoopback: true },
    ends: swapped ? [accepted, connected] : [connected, accepted],
    [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose](),
  };
}

// Buffer.slice(), unlike Uint8Array.slice(), copies nothing.
test("memory pair: write() leaves the buffer to the caller also when it is a Buffer", async () => {
  const [a, b] = memoryPair().map((end) => new TransportRecorder(end).start()) as [
    TransportRecorder,
    TransportRecorder,
  ];
  const buffer = Buffer.from("before");
  expect(a.transport.write(buffer)).toBe(true);
  buffer.fill(0);
  await b.received(6);
  expect(b.text).toBe("before");
});
