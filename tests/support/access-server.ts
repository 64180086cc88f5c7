import { Client } from "../../lib/client/client.ts";
import type { ClientOptions } from "../../lib/client/client-options.ts";
import { Operator } from "../../lib/client/operator.ts";
import type { Role } from "../../lib/protocol/messages.ts";
import type { Token } from "../../lib/protocol/token.ts";
import { Access } from "../../lib/server/access/access.ts";
import { LinkStore } from "../../lib/server/access/link-store.ts";
import { type KnownToken, TokenStore } from "../../lib/server/access/token-store.ts";
import type { StampedEvent } from "../../lib/server/event-feed.ts";
import type { ServerOptions } from "../../lib/server/server-options.ts";
import { systemClock } from "../../lib/session/clock.ts";
import type { ScramClient } from "../../lib/session/scram-client.ts";
import type { Transport } from "../../lib/session/transport.ts";
import type { Address } from "../../lib/transport/address.ts";
import { memoryPair } from "../../lib/transport/memory-transport.ts";
import { connect, type Listening, listen } from "../../lib/transport/socket.ts";
import { FakeClock } from "./fake-clock.ts";
import { frame, HELLO } from "./frames.ts";
import { testIdentity } from "./identity.ts";
import { MemoryPeer } from "./memory-peer.ts";
import { addressOf } from "./peer-address.ts";
import { TempFolder } from "./temp-folder.ts";
import { TestServer } from "./test-server.ts";
import { until } from "./until.ts";

export type Way = "memory" | "tcp" | "tls";
export const WAYS: Way[] = ["memory", "tcp", "tls"];

/** A secret that no token has. */
export const WRONG_SECRET = "wRoNg-_".repeat(7).slice(0, 43);

/** A clock whose calendar can be set without time passing. */
export class WallClock extends FakeClock {
  skewMs = 0;

  override wallTime(): number {
    return super.wallTime() + this.skewMs;
  }
}

/** A server that requires tokens, reachable over memory, TCP and TLS. */
export class AccessServer implements AsyncDisposable {
  readonly clock = new WallClock();
  readonly test: TestServer;
  readonly folder = new TempFolder();
  readonly tokens = TokenStore.open(this.folder.join("tokens.json"));
  readonly links = LinkStore.open(this.folder.join("links.json"));
  readonly #listening: Listening[] = [];
  /** Connections over sockets so far. */
  accepted = 0;

  constructor({
    open = false,
    local,
    ...options
  }: Partial<ServerOptions> & { open?: boolean; local?: KnownToken } = {}) {
    const { clock, tokens, links } = this;
    const access = new Access({ clock, tokens, links, open, local });
    this.test = new TestServer({ clock, tokens, links, access, ...options });
  }

  get server(): TestServer["server"] {
    return this.test.server;
  }

  get events(): StampedEvent[] {
    return this.test.events;
  }

  /** The refusals, as the log has them. */
  get refusals(): StampedEvent[] {
    return this.events.filter(({ event }) => event === "refused");
  }

  issue(name: string, role: Role = "read", expiresAt: number | null = null): Token {
    const token = this.tokens.add({ name, role, createdAt: this.clock.wallTime(), expiresAt });
    this.server.watchExpiry();
    return token;
  }

  /** Listen on a free port of this machine. */
  async listen(way: "tcp" | "tls"): Promise<Address> {
    const credentials = way === "tls" ? await testIdentity() : undefined;
    const at = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
    const take = (transport: Transport) => {
      this.server.accept(transport);
      this.accepted++;
    };
    const listening = listen(at, take, credentials);
    this.#listening.push(listening);
    return listening.address;
  }

  /** A fresh transport to the server; over memory, `from` is the address that the server sees. */
  async transport(way: Way = "memory", from = "198.51.100.7:1"): Promise<Transport> {
    if (way === "memory") {
      const [ours, theirs] = memoryPair({ a: "server", b: from }, undefined, { b: addressOf(from) });
      this.server.accept(ours);
      return theirs;
    }
    return connect(await this.listen(way), { timeoutMs: 5_000, ...(way === "tls" && { trust: { verify() {} } }) });
  }

  async client(token?: Token, options: Partial<ClientOptions> & { way?: Way; from?: string } = {}): Promise<Client> {
    const { way, from, ...rest } = options;
    const transport = await this.transport(way, from);
    const defaults = { clock: systemClock, agent: "test-client", wait: false, timeoutMs: 5_000 };
    return Client.connect({ ...defaults, token, ...rest, transport });
  }

  /** A peer under the test's control. */
  async peer(way: Way = "memory", from?: string): Promise<{ peer: MemoryPeer; transport: Transport }> {
    const transport = await this.transport(way, from);
    return { peer: new MemoryPeer(transport), transport };
  }

  async operator(): Promise<Operator> {
    return new Operator(await this.test.client({}, "operator"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const listening of this.#listening) listening.stop();
    await this.test[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}

/** HELLO with the first message of a proof. */
export function helloOf(scram: ScramClient, hello: object = {}): Buffer {
  return frame("HELLO", { ...HELLO, auth: { mechanism: scram.mechanism, message: scram.first }, ...hello });
}

/** Ask for admission, and get the challenge. */
export async function challengeOf(peer: MemoryPeer, scram: ScramClient, hello: object = {}): Promise<string> {
  await peer.send(helloOf(scram, hello));
  const answer = await until(() => peer.last("AUTH") ?? peer.last("REFUSE") ?? peer.ended);
  if (answer === true || answer.name !== "AUTH") throw new Error("refused before the challenge");
  return answer.json.message;
}

/** Prove the token, and wait for the outcome. */
export async function prove(
  peer: MemoryPeer,
  scram: ScramClient,
  hello: object = {},
): Promise<{ name: string; json: any }> {
  const { message } = await scram.answer(await challengeOf(peer, scram, hello));
  await peer.send(frame("AUTH", { message }));
  return until(() => peer.last("WELCOME") ?? peer.last("QUEUED") ?? peer.last("REFUSE"));
}

/** Whether anything that the server has reported contains the secret. */
export function tells(server: AccessServer, secret: string): boolean {
  return JSON.stringify(server.events).includes(secret);
}
