import { type CommError, ProtocolError, TransportError } from "../errors.ts";
import { readUint32, writeUint32 } from "../protocol/header.ts";
import type { Clock } from "./clock.ts";

/** Silence of this many intervals is death. */
export const SILENT_INTERVALS = 3;
/** The most unanswered pings when ping() sends another. */
const MAX_PENDING = 64;

export interface HeartbeatOptions {
  readonly clock: Clock;
  readonly intervalMs: number;
  /** Send a PING with these 8 bytes, which belong to the receiver. */
  sendPing(nonce: Uint8Array): void;
  onDead(error: CommError): void;
  /** An interval is over. */
  onInterval?(): void;
}

interface PendingPing {
  readonly sentAt: number;
  resolve(ms: number): void;
  reject(error: CommError): void;
}

/** A ping that needs no result; all sessions share it. */
const HEARTBEAT: PendingPing = { sentAt: 0, resolve() {}, reject() {} };

/**
 * Finds dead peers. Anything that arrives is a sign of life. It checks every interval: after half an interval of
 * silence it sends a PING, after three the peer is dead. Source: PROTOCOL.md, "Heartbeat".
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  /** Pings without an answer; undefined when there are none. */
  #pending: Map<number, PendingPing> | undefined;
  #lastReceived = 0;
  #dueAt = 0;
  #counter = 0;
  #cancel: (() => void) | undefined;
  started = false;
  #stopped = false;

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
    this.#stopped = true;
    this.#cancel?.();
    this.#cancel = undefined;
    for (const ping of this.#pending?.values() ?? []) ping.reject(lost("The link ended before the answer to a ping."));
    this.#pending = undefined;
  }

  noteReceived(): void {
    this.#lastReceived = this.#options.clock.now();
  }

  /** @throws ProtocolError UNEXPECTED_FRAME when it answers no PING, or one that was answered */
  notePong(nonce: Uint8Array): void {
    const counter = readUint32(nonce, 4);
    const ping = readUint32(nonce, 0) === 0 ? this.#pending?.get(counter) : undefined;
    // "A PONG that answers no PING is UNEXPECTED_FRAME." (PROTOCOL.md, "Heartbeat")
    if (ping === undefined) throw new ProtocolError("UNEXPECTED_FRAME", "A PONG answers no PING.");
    this.#pending?.delete(counter);
    if (this.#pending?.size === 0) this.#pending = undefined;
    ping.resolve(this.#options.clock.now() - ping.sentAt);
  }

  /** Round-trip time in milliseconds. @throws TransportError LOST */
  ping(): Promise<number> {
    if (this.#stopped) return Promise.reject(lost("The link has ended."));
    if ((this.#pending?.size ?? 0) >= MAX_PENDING) return Promise.reject(lost("Too many pings are unanswered."));
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#send({ sentAt: this.#options.clock.now(), resolve, reject });
    return promise;
  }

  #send(ping: PendingPing): void {
    this.#counter = (this.#counter + 1) >>> 0;
    const nonce = new Uint8Array(8);
    writeUint32(nonce, 4, this.#counter);
    this.#pending ??= new Map();
    this.#pending.set(this.#counter, ping);
    this.#options.sendPing(nonce);
  }

  #schedule(): void {
    this.#dueAt = this.#options.clock.now() + this.#options.intervalMs;
    this.#cancel = this.#options.clock.after(this.#options.intervalMs, () => this.#tick());
  }

  #tick(): void {
    const { clock, intervalMs } = this.#options;
    // This process itself was stopped, and has not read what arrived meanwhile.
    if (clock.now() - this.#dueAt >= intervalMs) {
      this.#lastReceived = Math.max(this.#lastReceived, clock.now() - (SILENT_INTERVALS - 1) * intervalMs);
    }
    const silentMs = clock.now() - this.#lastReceived;
    if (silentMs >= SILENT_INTERVALS * intervalMs) {
      const seconds = Math.round(silentMs / 1000);
      this.#options.onDead(
        new TransportError("HEARTBEAT_TIMEOUT", `Nothing came from the other end for ${seconds} s.`),
      );
      return;
    }
    this.#options.onInterval?.();
    if (silentMs >= intervalMs / 2) this.#send(HEARTBEAT);
    this.#schedule();
  }
}

function lost(message: string): TransportError {
  return new TransportError("LOST", message);
}
