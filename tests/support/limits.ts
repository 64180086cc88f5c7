import { Client } from "../../lib/client/client.ts";
import type { ClientOptions } from "../../lib/client/client-options.ts";
import type { Role } from "../../lib/protocol/messages.ts";
import { systemClock } from "../../lib/session/clock.ts";
import { memoryPair } from "../../lib/transport/memory-transport.ts";
import { settle } from "./fake-clock.ts";
import { frame, HELLO } from "./frames.ts";
import { MemoryPeer } from "./memory-peer.ts";
import { addressOf } from "./peer-address.ts";
import type { TestServer } from "./test-server.ts";

/** Numbers of the table "Error codes". */
export const CODES = {
  UNEXPECTED_FRAME: 6,
  HANDSHAKE_TIMEOUT: 10,
  SERVER_FULL: 12,
  UNAVAILABLE: 15,
  TOO_MANY_SESSIONS: 19,
  IDLE_TIMEOUT: 20,
  UNKNOWN_METHOD: 32,
  TOO_MANY_STREAMS: 44,
  CROWDED: 57,
} as const;

interface Where {
  /** The address of the peer. */
  readonly from?: string;
  /** The role that it has without a proof; "nobody" must prove a token. */
  readonly role?: Role | "nobody";
  /** Bytes that may be under way to it, and from it. */
  readonly capacity?: number;
}

/** A peer that sends whatever the test likes, from an address of its own. */
export function peerOf(server: TestServer, where: Where = {}): MemoryPeer {
  return new MemoryPeer(dial(server, where));
}

/** As peerOf(), admitted. */
export async function admittedPeer(server: TestServer, where: Where = {}, hello: object = {}): Promise<MemoryPeer> {
  const peer = peerOf(server, where);
  await peer.send(frame("HELLO", { ...HELLO, ...hello }));
  if (peer.last("WELCOME") === undefined) throw new Error(`not admitted: ${JSON.stringify(peer.frames.at(-1)?.json)}`);
  return peer;
}

/** An honest client, from an address of its own. */
export function clientFrom(
  server: TestServer,
  where: Where = {},
  options: Partial<ClientOptions> = {},
): Promise<Client> {
  const transport = dial(server, where);
  return Client.connect({
    transport,
    clock: systemClock,
    agent: "honest",
    wait: false,
    timeoutMs: 20_000,
    attempts: 0,
    ...options,
  });
}

function dial(server: TestServer, { from = "192.0.2.1:50000", role = "write", capacity }: Where) {
  const [ours, theirs] = memoryPair({ a: "server", b: from }, capacity, { b: addressOf(from) });
  server.server.accept(ours, role === "nobody" ? undefined : role);
  return theirs;
}

/** `count` addresses, each of another party. */
export function addresses(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `198.51.100.${index + 1}:50000`);
}

/** Send `bytes` and a little more; each piece is processed before the next. @returns the number of parts */
export async function flood(peer: MemoryPeer, bytes: number, make: (index: number) => Uint8Array): Promise<number> {
  const PIECE = 16 * 1024;
  let count = 0;
  for (let sent = 0; sent < bytes; ) {
    const parts: Uint8Array[] = [];
    for (let piece = 0; piece < PIECE; piece += parts.at(-1)?.length ?? 0) parts.push(make(count++));
    sent += parts.reduce((sum, part) => sum + part.length, 0);
    await peer.send(...parts);
  }
  await settle();
  return count;
}
