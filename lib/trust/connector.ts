import { Client } from "../client/client.ts";
import { silenceFor } from "../client/silence-watch.ts";
import { TransportError, toCommError } from "../errors.ts";
import type { MessageParams } from "../protocol/methods.ts";
import { systemClock } from "../session/clock.ts";
import { RateLimit, type RateLimits, rateBucket } from "../session/rate-limit.ts";
import type { Transport } from "../session/transport.ts";
import type { SocketTransport } from "../transport/socket-transport.ts";
import { DefaultServer, onlyKnownServer, withKnown } from "./default-server.ts";
import { dial } from "./dial.ts";
import type { MovedNews, TrustPrompts } from "./dial-options.ts";
import { isServerName, KnownServers } from "./known-servers.ts";
import { DEFAULT_SERVER, findTarget, type Target, type TrustSettings } from "./target.ts";
import { UnknownIdentity } from "./verify.ts";

/** How often a server that does not answer is looked for among those that announce themselves. */
const LOOK_AGAIN_MS = 30_000;

/** Which server to connect to, with what, and how long to try. */
export interface ConnectorSettings extends TrustSettings {
  /** Program and version, for the server. */
  readonly agent: string;
  /** Trust a new server without asking. */
  readonly acceptNew: boolean;
  /** Queue for a seat. */
  readonly wait: boolean;
  readonly timeoutMs: number;
  /** The name that the client gives itself. */
  readonly nick?: string | undefined;
  /** How fast files move each way, in bytes a second, over all links of this connector; absent: as fast as they can. */
  readonly bytesPerSecond?: number | undefined;
  /** Wraps each transport, to trace its frames. */
  readonly trace: (transport: Transport) => Transport;
}

export interface ConnectorEvents extends TrustPrompts {
  /** The server is full: called with the place in its queue, from 1. */
  onQueued(position: number): void;
  /** As ClientOptions.onMessage(): without it no message is accepted, and the sender learns that. */
  onMessage?: ((message: MessageParams) => unknown) | undefined;
}

/** Connects to the target server, any number of times: each time it reads again what is known of the server. */
export class Connector {
  readonly #settings: ConnectorSettings;
  readonly #events: ConnectorEvents;
  readonly #rateLimit: RateLimits | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #wasLocal = false;
  #found: { readonly name: string; readonly address: string } | undefined;
  /** The server for settings that name none, once it is decided. */
  #default: string | undefined;

  constructor(settings: ConnectorSettings, events: ConnectorEvents) {
    this.#settings = settings;
    this.#events = events;
    const { bytesPerSecond } = settings;
    const limit = (rate: number) => new RateLimit(systemClock, [rateBucket(rate, systemClock)]);
    // Both last as long as the connector: a lost link is no reason for another burst.
    if (bytesPerSecond !== undefined) this.#rateLimit = { out: limit(bytesPerSecond), in: limit(bytesPerSecond) };
  }

  /**
   * A client of its own session; `resume` as in HELLO.
   *
   * @throws as findTarget(), dial() and Client.connect(); TransportError CANNOT_CONNECT while a server of this user on
   * this machine is restarting
   */
  async connect(signal: AbortSignal, resume?: string): Promise<Client> {
    const { timeoutMs, wait, nick, agent, trace } = this.#settings;
    const { target, transport } = await this.#dial(signal);
    const { onMessage } = this.#events;
    return Client.connect({
      transport: trace(transport),
      token: target.token,
      clock: systemClock,
      agent,
      wait,
      nick,
      timeoutMs,
      silenceMs: silenceFor(timeoutMs),
      signal,
      ...(resume !== undefined && { resume }),
      ...(this.#rateLimit && { rateLimit: this.#rateLimit }),
      onQueued: (position) => this.#events.onQueued(position),
      ...(onMessage && { onMessage }),
    });
  }

  /** The server that has answered, and at which address; undefined before. */
  get server(): { readonly name: string; readonly address: string } | undefined {
    return this.#found;
  }

  /** Dial the server that was named or chosen; else that of this machine; else the only one that is known. */
  async #dial(signal: AbortSignal): Promise<{ target: Target; transport: SocketTransport }> {
    const { server, invite, stateDir } = this.#settings;
    if (server !== undefined || invite !== undefined) return this.#dialServer(server, signal);
    if (this.#default !== undefined) return this.#dialServer(this.#default, signal);
    const chosen = new DefaultServer(stateDir).read();
    try {
      const found = await this.#dialServer(chosen, signal);
      // A lost link must not lead to another server than before.
      this.#default = chosen ?? DEFAULT_SERVER;
      return found;
    } catch (thrown) {
      if (chosen !== undefined) throw thrown;
      if (thrown instanceof UnknownIdentity) this.#default = this.#joinedAs(thrown.fingerprint);
      else if (toCommError(thrown).code === "CANNOT_CONNECT") this.#default = onlyKnownServer(stateDir, thrown);
      if (this.#default === undefined) throw thrown;
      return this.#dialServer(this.#default, signal);
    }
  }

  /** Reconnecting to a server that is restarting does not ask the network each time. */
  get #mayLook(): boolean {
    return this.#events.onMoved !== undefined && systemClock.now() - this.#lookedAt >= LOOK_AGAIN_MS;
  }

  #onMoved(news: MovedNews): void {
    this.#lookedAt = systemClock.now();
    this.#events.onMoved?.(news);
  }

  /** The name of the joined server with this identity, if there is exactly one. */
  #joinedAs(fingerprint: string): string | undefined {
    const known = new KnownServers(this.#settings.stateDir).list();
    const [joined, ...others] = known.filter(({ name, identity }) => identity === fingerprint && isServerName(name));
    return others.length === 0 ? joined?.name : undefined;
  }

  async #dialServer(
    server: string | undefined,
    signal: AbortSignal,
  ): Promise<{ target: Target; transport: SocketTransport }> {
    const { timeoutMs, acceptNew, stateDir } = this.#settings;
    const target = findTarget({ ...this.#settings, server });
    // A server of this user that is restarting has not left its invite yet.
    if (this.#wasLocal && !target.isLocal)
      throw new TransportError("CANNOT_CONNECT", `No server runs at ${target.name} yet.`);
    this.#wasLocal = target.isLocal;
    const prompts: TrustPrompts = {
      // The server of this machine may be one that was joined, by another address: #dial() goes on with that.
      confirm: async (name, fingerprint, signal) =>
        (server !== undefined || this.#joinedAs(fingerprint) === undefined) &&
        this.#events.confirm(name, fingerprint, signal),
      warn: (warning) => this.#events.warn(warning),
      ...(this.#mayLook && { onMoved: (news) => this.#onMoved(news) }),
    };
    const options = { stateDir, timeoutMs, acceptNew, prompts, signal };
    const transport = await dial(target, options).catch((thrown) => {
      throw server === undefined ? thrown : withKnown(thrown, server, stateDir);
    });
    this.#found = { name: target.name, address: transport.peer };
    return { target, transport };
  }
}
