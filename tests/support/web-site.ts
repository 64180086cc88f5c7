import http from "node:http";
import https from "node:https";
import { connect, type Socket } from "node:net";
import { fork } from "../../lib/gateway/fork.ts";
import { Gateway } from "../../lib/gateway/gateway.ts";
import type { Token } from "../../lib/protocol/token.ts";
import type { ServerOptions } from "../../lib/server/server-options.ts";
import type { Transport } from "../../lib/session/transport.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { PathTurns } from "../../lib/storage/ordered.ts";
import { memoryPair } from "../../lib/transport/memory-transport.ts";
import { type Listening, listen } from "../../lib/transport/socket.ts";
import { AccessServer } from "./access-server.ts";
import { testIdentity } from "./identity.ts";
import { TempFolder } from "./temp-folder.ts";

export interface WebAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
  /** True if the answer broke off. */
  readonly isCut: boolean;
}

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly token?: Token;
  readonly tls?: boolean;
  readonly body?: string | Uint8Array;
}

/** A server with a folder of files, reachable over HTTP and HTTPS. */
export class WebSite implements AsyncDisposable {
  readonly folder: TempFolder;
  readonly access: AccessServer;
  readonly gateway: Gateway;
  /** For reading. */
  readonly token: Token;
  /** For writing. */
  readonly writer: Token;
  readonly #plain: Listening;
  readonly #secure: Listening;

  private constructor(folder: TempFolder, access: AccessServer, gateway: Gateway, listening: Listening[]) {
    this.folder = folder;
    this.access = access;
    this.gateway = gateway;
    this.token = access.issue("reader");
    this.writer = access.issue("web-writer", "write");
    [this.#plain, this.#secure] = listening as [Listening, Listening];
  }

  static async start({
    maxIdle = 64,
    maxConnections = 1_000,
    mayWrite = false,
    ...options
  }: Partial<ServerOptions> & {
    open?: boolean;
    maxIdle?: number;
    maxConnections?: number;
    mayWrite?: boolean;
  } = {}): Promise<WebSite> {
    const folder = new TempFolder();
    const storage = await LocalStorage.at(folder.path);
    const turns = mayWrite ? new PathTurns() : undefined;
    const access = new AccessServer({ storage, turns, ...options });
    // A time of whole seconds may be that of a coarse disk.
    access.clock.skewMs = 7;
    const limits = { maxConnections, maxIdle, maxIdlePerAddress: maxIdle };
    const gateway = new Gateway({
      server: access.server.gateway,
      ...limits,
      mayWrite,
      knownHosts: new Set(["files.test"]),
    });
    const sides = {
      toSessions: (transport: Transport) => access.server.accept(transport),
      toHttp: (transport: Transport) => gateway.accept(transport),
    };
    const at = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
    const credentials = { ...(await testIdentity()), withHttp: true };
    const listening = [undefined, credentials].map((tls) => listen(at, (transport) => fork(transport, sides), tls));
    return new WebSite(folder, access, gateway, listening);
  }

  get port(): number {
    return portOf(this.#plain);
  }

  get securePort(): number {
    return portOf(this.#secure);
  }

  /** One request over a connection of its own, by default with the token for reading. */
  ask(
    target: string,
    { method = "GET", headers = {}, token = this.token, tls = false, body }: Asked = {},
  ): Promise<WebAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<WebAnswer>();
    const options = { host: "127.0.0.1", path: target, method, agent: false as const, rejectUnauthorized: false };
    const full = { ...options, headers: { ...basic(token), ...headers } };
    const take = (response: http.IncomingMessage) => {
      const pieces: Buffer[] = [];
      const settle = (isCut: boolean) =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers as Record<string, string>,
          body: Buffer.concat(pieces),
          isCut,
        });
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("end", () => settle(!response.complete));
      response.on("error", () => settle(true));
      response.on("aborted", () => settle(true));
    };
    const request = tls
      ? https.request({ ...full, port: this.securePort }, take)
      : http.request({ ...full, port: this.port }, take);
    request.on("error", reject);
    request.end(body);
    return promise;
  }

  /** A request with the token for writing. */
  change(method: string, target: string, asked: Omit<Asked, "method" | "token"> = {}): Promise<WebAnswer> {
    return this.ask(target, { ...asked, method, token: this.writer });
  }

  /** A connection on which the test sends whatever it likes. */
  raw(): RawHttp {
    return new RawHttp(connect(this.port, "127.0.0.1"));
  }

  /** Send `text` from another address, unencrypted, and wait for the answers. */
  async askFrom(address: string, text: string): Promise<string> {
    const [ours, theirs] = memoryPair({ a: "server", b: address });
    this.gateway.accept(ours);
    const { promise, resolve } = Promise.withResolvers<string>();
    let answer = "";
    theirs.start({
      onBytes: (bytes) => {
        answer += Buffer.from(bytes).toString("latin1");
      },
      onDrain() {},
      onClosed: () => resolve(answer),
    });
    theirs.write(Buffer.from(text, "latin1"));
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#plain.stop();
    this.#secure.stop();
    await this.access[Symbol.asyncDispose]();
    this.gateway.abort();
    this.folder[Symbol.dispose]();
  }
}

/** The Authorization field with a token (Basic). */
export function basic({ name, secret }: Token): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString("base64")}` };
}

function portOf({ address }: Listening): number {
  return address.kind === "tcp" ? address.port : 0;
}

/** Bytes to and from a server. */
export class RawHttp {
  readonly #socket: Socket;
  #text = "";
  isEnded = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#text += text;
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.isEnded = true;
    });
  }

  send(text: string): void {
    this.#socket.write(text, "latin1");
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Everything that has arrived. */
  get text(): string {
    return this.#text;
  }

  /** The statuses of the answers so far. */
  get statuses(): number[] {
    return [...this.#text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  }

  end(): void {
    this.#socket.destroy();
  }
}
