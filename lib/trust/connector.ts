import { Client } from "../client/client.ts";
import { silenceFor } from "../client/silence-watch.ts";
import { TransportError } from "../errors.ts";
import type { MessageParams } from "../protocol/methods.ts";
import { systemClock } from "../session/clock.ts";
import type { Transport } from "../session/transport.ts";
import { dial, type TrustPrompts } from "./dial.ts";
import { findTarget, type TrustSettings } from "./target.ts";

/** Which server to connect to, with what, and how long to try. */
export interface ConnectorSettings extends TrustSettings {
  /** Program and version, for the server. */
  readonly agent: string;
  /** Trust a new server without asking. */
  readonly acceptNew: boolean;
  /** Queue for a seat. */
  readonly wait: boolean;
  readonly timeoutMs: number;
  /** Wraps each transport, to trace its frames. */
  readonly trace: (transport: Transport) => Transport;
}

export interface ConnectorEvents extends TrustPrompts {
  /** The server is full: called with the place in its queue, from 1. */
  onQueued(position: number): void;
  onMessage(message: MessageParams): unknown;
}

/** Connects to the target server, any number of times: each time it reads again what is known of the server. */
export class Connector {
  readonly #settings: ConnectorSettings;
  readonly #events: ConnectorEvents;
  #wasLocal = false;

  constructor(settings: ConnectorSettings, events: ConnectorEvents) {
    this.#settings = settings;
    this.#events = events;
  }

  /**
   * A client of its own session; `resume` as in HELLO.
   *
   * @throws as findTarget(), dial() and Client.connect(); TransportError CANNOT_CONNECT while a server of this user on
   * this machine is restarting
   */
  async connect(signal: AbortSignal, resume?: string): Promise<Client> {
    const { timeoutMs, acceptNew, wait, stateDir, agent, trace } = this.#settings;
    const target = findTarget(this.#settings);
    // A server of this user that is restarting has not left its invite yet.
    if (this.#wasLocal && !target.isLocal)
      throw new TransportError("CANNOT_CONNECT", `No server runs at ${target.name} yet.`);
    this.#wasLocal = target.isLocal;
    const transport = await dial(target, { stateDir, timeoutMs, acceptNew, prompts: this.#events, signal });
    return Client.connect({
      transport: trace(transport),
      token: target.token,
      clock: systemClock,
      agent,
      wait,
      timeoutMs,
      silenceMs: silenceFor(timeoutMs),
      signal,
      ...(resume !== undefined && { resume }),
      onQueued: (position) => this.#events.onQueued(position),
      onMessage: (message) => this.#events.onMessage(message),
    });
  }
}
