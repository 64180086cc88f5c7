import { Client } from "../../lib/client/client.ts";
import type { ClientOptions } from "../../lib/client/client-options.ts";
import { systemClock } from "../../lib/session/clock.ts";
import type { Transport } from "../../lib/session/transport.ts";
import { memoryPair } from "../../lib/transport/memory-transport.ts";
import { type Listening, listen } from "../../lib/transport/socket.ts";
import { frame, parseFrames, type RawFrame } from "./frames.ts";

const WELCOME = {
  version: 1,
  name: "Client01",
  role: "write",
  agent: "hostile",
  resume: { token: "again", graceMs: 30_000 },
  capabilities: ["working"],
  credit: 4_194_304,
  maxStreams: 128,
};

/** A hostile server's reaction to a frame. PINGs are answered before it is called. */
export type Answer = (frame: RawFrame, link: HostileLink) => void;

/** One link to a hostile server. */
export class HostileLink {
  /** Its index, from 0 on. */
  readonly index: number;
  readonly #transport: Transport;
  #onFree: (() => void) | undefined;
  #isClosed = false;
  /** Bytes of DATA that the client has granted on each stream, in addition to the first credit. */
  readonly credit = new Map<number, number>();

  constructor(transport: Transport, index: number) {
    this.#transport = transport;
    this.index = index;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** @returns whether the bytes have left already */
  say(...frames: Uint8Array[]): boolean {
    return this.#transport.write(Buffer.concat(frames));
  }

  /** Send `make()` again and again, as fast as the client reads and grants, until the link ends. */
  async flood(make: () => Uint8Array, mayGoOn: () => boolean = () => true): Promise<void> {
    while (!this.#isClosed) {
      if (mayGoOn() && !this.say(make())) {
        await new Promise<void>((resolve) => {
          this.#onFree = resolve;
        });
      } else {
        await new Promise<void>((resolve) => void setImmediate(resolve));
      }
    }
  }

  cut(): void {
    this.#transport.abort();
  }

  free(): void {
    this.#onFree?.();
  }

  end(): void {
    this.#isClosed = true;
    this.free();
  }
}

/** A server that admits everybody, answers PING, and otherwise does what the test says. */
export class HostileServer implements Disposable {
  readonly links: HostileLink[] = [];
  /** The received frames of all links, without PING and PONG. */
  readonly heard: RawFrame[] = [];
  /** Whether PING is answered. */
  answersPings = true;
  readonly #answer: Answer;
  readonly #welcome: object | null;
  #listening: Listening | undefined;

  /** `welcome`: members of WELCOME; null: the test answers HELLO, too. */
  constructor(answer: Answer, welcome: object | null = {}) {
    this.#answer = answer;
    this.#welcome = welcome;
  }

  /** Listen on 127.0.0.1, without TLS. Returns the port. */
  listen(): number {
    this.#listening ??= listen({ kind: "tcp", host: "127.0.0.1", port: 0 }, (transport) => this.serve(transport));
    const { address } = this.#listening;
    return address.kind === "tcp" ? address.port : 0;
  }

  /** The client's end of a link in memory. */
  dial(): Transport {
    const [ours, theirs] = memoryPair();
    this.serve(ours);
    return theirs;
  }

  serve(transport: Transport): void {
    const link = new HostileLink(transport, this.links.length);
    this.links.push(link);
    let rest: Buffer = Buffer.alloc(0);
    transport.start({
      onBytes: (bytes) => {
        const parsed = parseFrames(Buffer.concat([rest, bytes]));
        rest = parsed.rest;
        for (const received of parsed.frames) this.#take(received, link);
      },
      onDrain: () => link.free(),
      onClosed: () => link.end(),
    });
  }

  #take(received: RawFrame, link: HostileLink): void {
    const { name, stream, payload } = received;
    if (name === "PING") return void (this.answersPings && link.say(frame("PONG", payload)));
    if (name === "PONG") return;
    if (name === "CREDIT") link.credit.set(stream, (link.credit.get(stream) ?? 0) + payload.readUInt32BE(0));
    this.heard.push(received);
    if (name === "HELLO" && this.#welcome !== null) {
      link.say(frame("WELCOME", { ...WELCOME, ...this.#welcome }));
      return;
    }
    this.#answer(received, link);
  }

  [Symbol.dispose](): void {
    this.#listening?.stop();
    for (const link of this.links) link.cut();
  }
}

/** A client of it, over memory. */
export function clientOf(server: HostileServer, options: Partial<ClientOptions> = {}): Promise<Client> {
  return Client.connect({
    transport: server.dial(),
    clock: systemClock,
    agent: "test-client",
    wait: false,
    timeoutMs: 5_000,
    ...options,
  });
}
