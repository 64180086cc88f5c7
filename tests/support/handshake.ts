import type { Connected, ConnectOptions } from "../../lib/session/handshake.ts";
import { connectSession } from "../../lib/session/handshake.ts";
import type { SessionEnd } from "../../lib/session/session-end.ts";
import { memoryPair } from "../../lib/transport/memory-transport.ts";
import { FakeClock } from "./fake-clock.ts";
import { MemoryPeer } from "./memory-peer.ts";
import { type Watched, watch } from "./outcomes.ts";

export const WELCOME = {
  version: 1,
  name: "Client01",
  role: "write",
  agent: "raw-server",
  capabilities: [],
  credit: 1_000,
  maxStreams: 4,
};

export const TIMEOUT_MS = 5_000;
export const HEARTBEAT_MS = 1_000;

/** A client that asks for admission by a server under the test's control. */
export function connecting(options: Partial<ConnectOptions> = {}): {
  peer: MemoryPeer;
  clock: FakeClock;
  outcome: Watched<Connected>;
  result: Promise<Connected>;
  ends: SessionEnd[];
  positions: number[];
} {
  const [transport, theirs] = memoryPair();
  const clock = new FakeClock();
  const ends: SessionEnd[] = [];
  const positions: number[] = [];
  const result = connectSession({
    transport,
    clock,
    agent: "test-client/1.0",
    wait: false,
    limits: { credit: 2_000, maxStreams: 8 },
    heartbeatMs: HEARTBEAT_MS,
    timeoutMs: TIMEOUT_MS,
    handler: { onOpen: () => {}, onEnd: (end) => ends.push(end) },
    onQueued: (position) => positions.push(position),
    ...options,
  });
  return { peer: new MemoryPeer(theirs), clock, outcome: watch(result), result, ends, positions };
}
