import type { Socket } from "bun";
import { parseToken } from "../../../lib/protocol/token.ts";
import { ScramClient } from "../../../lib/session/scram-client.ts";
import { agreedOn, clientTls } from "../../../lib/transport/tls.ts";
import { frame, HELLO, OPCODES, type OpcodeName } from "../frames.ts";
import { type Target, tally } from "./attacker-peer.ts";

const HEADER_BYTES = 16;
const PIECE_BYTES = 262_144;
const EMPTY = new Uint8Array(0);
const NAMES = new Map<number, string>(Object.entries(OPCODES).map(([name, code]) => [code, name]));

interface Body {
  readonly next: () => Uint8Array | undefined;
  rest: Uint8Array;
  credit: number;
}

/**
 * A session that requests much and takes little: it proves a token, keeps to its credit, and reads frames without
 * keeping them.
 */
export class Hoarder {
  #socket!: Socket<undefined>;
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes left of the present frame. */
  #skip = 0;
  #outbox: Uint8Array[] = [];
  readonly #bodies = new Map<number, Body>();
  #firstCredit = 0;
  #binding: Uint8Array | undefined;
  readonly #secured = Promise.withResolvers<void>();
  readonly #welcomed = Promise.withResolvers<void>();
  #onAuth: ((message: string) => void) | undefined;
  isClosed = false;
  name = "";
  /** Counts of received frames, by name. */
  readonly heard = new Map<string, number>();
  onReset: ((stream: number) => void) | undefined;

  /** Admitted, with `hello` in HELLO. */
  static async admitted({ port, tls }: Target, token: string, hello: object = {}, host = 2): Promise<Hoarder> {
    const peer = new Hoarder();
    peer.#socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      // Missing in Bun's types.
      ...{ localAddress: `127.0.0.${host}` },
      ...(tls && { tls: clientTls({ verify() {} }) }),
      socket: {
        data: (_: unknown, bytes: Buffer) => peer.#onData(bytes),
        handshake: (socket: Socket<undefined>) => {
          peer.#binding = agreedOn(socket, null, false).binding;
          peer.#secured.resolve();
        },
        drain: () => peer.#flush(),
        close: () => peer.#onClose(),
        error: () => peer.#onClose(),
        end: () => peer.#onClose(),
      },
    });
    tally.opened++;
    if (tls) await peer.#secured.promise;
    await peer.#prove(token, hello);
    return peer;
  }

  async #prove(token: string, hello: object): Promise<void> {
    const scram = new ScramClient(parseToken(token), this.#binding);
    const challenge = new Promise<string>((resolve) => {
      this.#onAuth = resolve;
    });
    const auth = { mechanism: scram.mechanism, message: scram.first };
    this.send(frame("HELLO", { ...HELLO, ...hello, auth }));
    const { message } = await scram.answer(await challenge);
    this.#onAuth = undefined;
    this.send(frame("AUTH", { message }));
    await this.#welcomed.promise;
  }

  send(...frames: Uint8Array[]): void {
    this.#outbox.push(...frames);
    this.#flush();
  }

  /** Bytes that the kernel has not taken yet. */
  get unsent(): number {
    return this.#outbox.length;
  }

  /** Open a stream whose body is an endless series of `next()`, as far as the credit allows. */
  open(stream: number, method: string, params: object = {}, next?: () => Uint8Array | undefined): void {
    this.send(frame("OPEN", { method, params }, stream, next === undefined ? 1 : 0));
    if (next === undefined) return;
    this.#bodies.set(stream, { next, rest: EMPTY, credit: this.#firstCredit });
    this.#feed(stream);
  }

  /** Stop reading. */
  pause(): void {
    this.#socket.pause();
  }

  abort(): void {
    this.#socket.terminate();
  }

  #feed(stream: number): void {
    const body = this.#bodies.get(stream);
    if (body === undefined) return;
    while (body.credit > 0) {
      if (body.rest.length === 0) {
        const next = body.next();
        if (next === undefined) break;
        body.rest = next;
      }
      const piece = body.rest.subarray(0, Math.min(body.credit, PIECE_BYTES));
      this.#outbox.push(frame("DATA", piece, stream));
      body.credit -= piece.length;
      body.rest = body.rest.subarray(piece.length);
    }
    this.#flush();
  }

  #flush(): void {
    while (this.#outbox.length > 0 && !this.isClosed) {
      const joined = this.#outbox.length > 1 ? Buffer.concat(this.#outbox) : (this.#outbox[0] as Uint8Array);
      const taken = this.#socket.write(joined);
      if (taken < 0) return;
      this.#outbox = taken < joined.length ? [joined.subarray(taken)] : [];
      if (taken < joined.length) return;
    }
  }

  #onData(bytes: Buffer): void {
    let rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    if (this.#skip > 0) {
      const skipped = Math.min(this.#skip, rest.length);
      this.#skip -= skipped;
      rest = rest.subarray(skipped);
    }
    while (rest.length >= HEADER_BYTES && this.#skip === 0) {
      const name = NAMES.get(rest[1] as number) as OpcodeName;
      const length = rest.readUInt32BE(8);
      if (name !== "DATA" && rest.length < HEADER_BYTES + length) break;
      this.heard.set(name, (this.heard.get(name) ?? 0) + 1);
      const there = Math.min(length, rest.length - HEADER_BYTES);
      this.#skip = length - there;
      const payload = rest.subarray(HEADER_BYTES, HEADER_BYTES + there);
      if (name !== "DATA") this.#onFrame(name, rest.readUInt32BE(4), payload);
      rest = rest.subarray(HEADER_BYTES + there);
    }
    this.#rest = Buffer.from(rest);
  }

  #onFrame(name: OpcodeName, stream: number, payload: Buffer): void {
    if (name === "AUTH") this.#onAuth?.(JSON.parse(payload.toString()).message);
    else if (name === "WELCOME") {
      const welcome = JSON.parse(payload.toString());
      this.name = welcome.name;
      this.#firstCredit = welcome.credit;
      this.#welcomed.resolve();
    } else if (name === "CREDIT") {
      const body = this.#bodies.get(stream);
      if (body !== undefined) body.credit += payload.readUInt32BE(0);
      this.#feed(stream);
    } else if (name === "PING") this.send(frame("PONG", payload));
    else if (name === "RESET") {
      this.#bodies.delete(stream);
      this.onReset?.(stream);
    } else if (name === "REFUSE") this.#welcomed.reject(new Error(payload.toString()));
  }

  #onClose(): void {
    if (!this.isClosed) tally.closed++;
    this.isClosed = true;
    this.#welcomed.reject(new Error("closed"));
  }
}
