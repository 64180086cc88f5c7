import type { BandwidthLimits } from "../../lib/server/bandwidth.ts";
import { FakeClock, settle } from "./fake-clock.ts";
import { frame } from "./frames.ts";
import { admittedPeer } from "./limits.ts";
import type { MemoryPeer } from "./memory-peer.ts";
import { getting } from "./raw-chunks.ts";
import { TestServer } from "./test-server.ts";

/** The largest frame of DATA that a server sends, which may overdraw a rate. */
export const FRAME = 256 * 1024 + 64;

/** A server with limited bandwidth, whose clock the test moves. */
export class PacedSite implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly server: TestServer;

  constructor(bandwidth: Partial<BandwidthLimits>) {
    this.server = new TestServer({
      clock: this.clock,
      maxClients: 8,
      bandwidth: { perSession: undefined, total: undefined, ...bandwidth },
      limits: { credit: 65_536, maxStreams: 4 },
      heartbeatMs: 10_000_000,
    });
    this.server.storage.set("large", new Uint8Array(64 * 1024 * 1024));
  }

  /** A peer that fetches the large file as fast as it comes. */
  async download(): Promise<PacedPeer> {
    const peer = await admittedPeer(this.server, {}, { credit: 2 ** 31 - 1 });
    await peer.send(getting("large"));
    return new PacedPeer(peer);
  }

  /** Let `ms` milliseconds pass in small steps. */
  async pass(ms: number, each: () => Promise<unknown> = settle): Promise<void> {
    for (let passed = 0; passed < ms; passed += 50) {
      await this.clock.advance(50);
      await each();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.server[Symbol.asyncDispose]();
  }
}

/** A peer that counts received bytes, and its credit. */
export class PacedPeer {
  readonly peer: MemoryPeer;
  #counted = 0;
  #data = 0;
  #credit = 0;
  #pings = 0;

  constructor(peer: MemoryPeer) {
    this.peer = peer;
  }

  /** Payload bytes of all DATA so far. */
  get received(): number {
    this.#count();
    return this.#data;
  }

  /** Bytes of credit that were granted beyond the first. */
  get granted(): number {
    this.#count();
    return this.#credit;
  }

  /** Whether a PING is answered though no time passes. */
  async ping(): Promise<boolean> {
    const nonce = Buffer.alloc(8);
    nonce.writeUInt32BE(++this.#pings, 4);
    await this.peer.send(frame("PING", nonce));
    return this.peer.frames.findLast(({ name }) => name === "PONG")?.payload.equals(nonce) ?? false;
  }

  #count(): void {
    for (const { name, payload } of this.peer.frames.slice(this.#counted)) {
      if (name === "DATA") this.#data += payload.length;
      if (name === "CREDIT") this.#credit += payload.readUInt32BE(0);
    }
    this.#counted = this.peer.frames.length;
  }
}
