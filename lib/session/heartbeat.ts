import { type CommError, ProtocolError, TransportError } from "../errors.ts";
import { readUint32, writeUint32 } from "../protocol/header.ts";
import type { Clock } from "./clock.ts";

/** Silence of this many intervals is death. */
const SILENT_INTERVALS = 3;
/** Most pings of ping() that may be under way at once. */
const MAX_PENDING = 64;

export interface HeartbeatOptions {
  readonly clock: Clock;
  readonly intervalMs: number;
  /** Send a PING with these 8 bytes, which belong to the receiver. */
  sendPing(nonce: Uint8Array): void;
  onDead(error: CommError): void;
}

interface PendingPing {
  readonly sentAt: number;
  resolve(ms: number): void;
  reject(error: CommError): void;
}

/**
 * Finds dead peers. Whatever arrives is a sign of life; after an interval without any, a PING asks for
 * one. Source: PROTOCOL.md, "Heartbeat".
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #pending = new Map<number, PendingPing>();
  #lastReceived = 0;
  #counter = 0;
  #cancel: (() => void) | undefined;
  started = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.started) return;
    this.started = true;
    this.#lastReceived = this.#options.clock.now();
    this.#schedule();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    for (const ping of this.#pending.values()) {
      ping.reject(new TransportError("LOST", "The link ended before the answer to a ping."));
    }
    this.#pending.clear();
  }

  noteReceived(): void {
    this.#lastReceived = this.#options.clock.now();
  }

  /** @throws ProtocolError UNEXPECTED_FRAME when nobody asked for it */
  notePong(nonce: Uint8Array): void {
    const counter = readUint32(nonce, 4);
    if (counter === 0 || counter > this.#counter || readUint32(nonce, 0) !== 0) {
      throw new ProtocolError("UNEXPECTED_FRAME", "A PONG answers no PING.");
    }
    const ping = this.#pending.get(counter);
    if (ping === undefined) return; // the answer to a heartbeat
    this.#pending.delete(counter);
    ping.resolve(this.#options.clock.now() - ping.sentAt);
  }

  /** Round-trip time in milliseconds. @throws TransportError LOST */
  ping(): Promise<number> {
    if (this.#pending.size >= MAX_PENDING) {
      return Promise.reject(new TransportError("LOST", "Too many pings are without an answer."));
    }
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const counter = this.#send();
    this.#pending.set(counter, { sentAt: this.#options.clock.now(), resolve, reject });
    return promise;
  }

  #send(): number {
    this.#counter = (this.#counter + 1) >>> 0 || 1;
    const nonce = new Uint8Array(8);
    writeUint32(nonce, 4, this.#counter);
    this.#options.sendPing(nonce);
    return this.#counter;
  }

  #schedule(): void {
    this.#cancel = this.#options.clock.after(this.#options.intervalMs, () => this.#tick());
  }

  #tick(): void {
    const { clock, intervalMs, onDead } = this.#options;
    const silentMs = clock.now() - this.#lastReceived;
    if (silentMs >= SILENT_INTERVALS * intervalMs) {
      const seconds = Math.round(silentMs / 1000);
      onDead(new TransportError("HEARTBEAT_TIMEOUT", `Nothing came from the other end for ${seconds} s.`));
      return;
    }
    if (silentMs >= intervalMs / 2) this.#send();
    this.#schedule();
  }
}
