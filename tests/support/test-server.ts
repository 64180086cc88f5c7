import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "../../lib/client/client.ts";
import type { ClientOptions } from "../../lib/client/client-options.ts";
import { Operator } from "../../lib/client/operator.ts";
import type { Role } from "../../lib/protocol/messages.ts";
import { Access } from "../../lib/server/access/access.ts";
import { LinkStore } from "../../lib/server/access/link-store.ts";
import { TokenStore } from "../../lib/server/access/token-store.ts";
import type { StampedEvent } from "../../lib/server/event-feed.ts";
import { Ledger } from "../../lib/server/ledger.ts";
import { memoryLimits } from "../../lib/server/memory-limits.ts";
import { CommServer } from "../../lib/server/server.ts";
import type { ServerOptions } from "../../lib/server/server-options.ts";
import { systemClock } from "../../lib/session/clock.ts";
import type { Transport } from "../../lib/session/transport.ts";
import { digest64 } from "../../lib/storage/digest64.ts";
import { blockTag } from "../../lib/storage/local/block-tag.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import { memoryPair } from "../../lib/transport/memory-transport.ts";
import { connect, type Listening, listen } from "../../lib/transport/socket.ts";

/** A server inside the test: files and ledger in memory, peers over memory or over TCP. */
export class TestServer implements AsyncDisposable {
  readonly storage = new MemoryStorage();
  readonly tokens: TokenStore;
  readonly server: CommServer;
  readonly events: StampedEvent[] = [];
  stopRequested = false;
  #listening: Listening | undefined;

  constructor(options: Partial<ServerOptions> = {}) {
    const clock = options.clock ?? systemClock;
    // The file is written only when a token is made; tests that do so use a folder of their own.
    this.tokens = options.tokens ?? TokenStore.open(join(tmpdir(), `commserver-no-tokens-${crypto.randomUUID()}`));
    const links = options.links ?? LinkStore.open(join(tmpdir(), `commserver-no-links-${crypto.randomUUID()}`));
    this.server = new CommServer({
      agent: "test-server",
      clock,
      tokens: this.tokens,
      links,
      linkAddress: (place) => `http://server.test${place}`,
      access: new Access({ clock, tokens: this.tokens, links, open: false }),
      invite: (token) => `invite of ${token.name}`,
      reach: ([address = "server.test:5050"] = []) => ({ address, isPlaintext: false, isAnnounced: false }),
      maxPerAddress: 1_000_000,
      maxUnadmittedPerAddress: 64,
      maxPassing: 5 * (options.maxUnadmitted ?? 64),
      callRates: { messages: 1_000_000, lists: 1_000_000, pages: 1_000_000 },
      bandwidth: { perSession: undefined, total: undefined },
      idleMs: undefined,
      storage: this.storage,
      within: (folder) => {
        if (options.storage instanceof LocalStorage) return options.storage.within(folder);
        throw new Error("this test serves no folder by itself");
      },
      ledger: Ledger.open(":memory:"),
      maxClients: 3,
      maxWaiting: 16,
      maxUnadmitted: 64,
      handshakeMs: 10_000,
      heartbeatMs: 15_000,
      limits: { credit: 1_048_576, maxStreams: 128 },
      // As `limits`, except in tests about growing windows.
      maxWindow: 0,
      memory: memoryLimits(256 * 1024 * 1024),
      graceMs: 30_000,
      writable: true,
      digest64,
      blockTag,
      createSha256: () => new Bun.CryptoHasher("sha256"),
      onStopRequest: () => {
        this.stopRequested = true;
      },
      ...options,
    });
    this.server.events.subscribe((event) => this.events.push(event));
  }

  /** Listen on a free port of 127.0.0.1, and return it. Every client there gets `role`. */
  listen(role: Role = "write"): number {
    this.#listening ??= listen({ kind: "tcp", host: "127.0.0.1", port: 0 }, (transport) =>
      this.server.accept(transport, role),
    );
    const { address } = this.#listening;
    return address.kind === "tcp" ? address.port : 0;
  }

  /** A client over memory. */
  client(options: Partial<ClientOptions> = {}, role: Role = "write"): Promise<Client> {
    const [ours, theirs] = memoryPair({ a: "server", b: "memory" });
    this.server.accept(ours, role);
    return connectTest({ transport: theirs, ...options });
  }

  /** A client over a transport that was made for it. */
  clientOver(transport: Transport, options: Partial<ClientOptions> = {}): Promise<Client> {
    return connectTest({ transport, ...options });
  }

  /** A client over TCP. */
  async tcpClient(options: Partial<ClientOptions> = {}): Promise<Client> {
    const transport = await connect({ kind: "tcp", host: "127.0.0.1", port: this.listen() }, { timeoutMs: 5_000 });
    return connectTest({ transport, ...options });
  }

  async operator(): Promise<Operator> {
    return new Operator(await this.client({}, "operator"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listening?.stop();
    const stopped = this.server.shutdown(0);
    this.server.abort();
    await stopped;
  }
}

function connectTest(options: Partial<ClientOptions> & Pick<ClientOptions, "transport">): Promise<Client> {
  return Client.connect({ clock: systemClock, agent: "test-client", wait: false, timeoutMs: 5_000, ...options });
}
