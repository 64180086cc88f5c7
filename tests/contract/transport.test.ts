import { expect, test } from "bun:test";
import { traceTransport } from "../../lib/trace/traced-transport.ts";
import { memoryPair } from "../../lib/transport/memory-transport.ts";
import { SocketPair } from "../support/socket-pair.ts";
import { TransportRecorder } from "../support/transport-recorder.ts";
import { type TransportFixture, transportContract } from "./transport.ts";

transportContract("memory pair", async () => {
  const ends = memoryPair();
  return {
    ends,
    async [Symbol.asyncDispose]() {
      for (const end of ends) end.abort();
    },
  };
});

transportContract("memory pair, traced", async () => {
  const [a, b] = memoryPair();
  return {
    ends: [traceTransport(a, () => {}), traceTransport(b, () => {})],
    async [Symbol.asyncDispose]() {
      a.abort();
      b.abort();
    },
  };
});

const SOCKETS = { TCP: SocketPair.tcp, TLS: SocketPair.tls, "Unix socket": SocketPair.unix };

for (const [name, openPair] of Object.entries(SOCKETS)) {
  transportContract(`${name}, from the connecting end`, async () => fixtureOf(await openPair(), false));
  transportContract(`${name}, from the accepting end`, async () => fixtureOf(await openPair(), true));
}

function fixtureOf(pair: SocketPair, swapped: boolean): TransportFixture {
  const { connected, accepted } = pair;
  return {
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
