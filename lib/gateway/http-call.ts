import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { ErrorCode } from "../errors.ts";
import type { ReasonCode } from "../protocol/messages.ts";
import type { GuestRequest } from "../server/guest-session.ts";
import type { Guest } from "../server/guests.ts";
import type { Clock } from "../session/clock.ts";
import type { HttpConnection } from "./http-connection.ts";

/** A peer that takes no byte of an answer for this long is cut off; it may request the rest again. */
export const ANSWER_STALLED_MS = 120_000;

/** Fields of every answer: the content of a file must never act as a page of this server. */
const COMMON_FIELDS = {
  "x-content-type-options": "nosniff",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
};

export interface HttpCallOptions {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly connection: HttpConnection;
  readonly clock: Clock;
}

/** A request under way and its answer. Turns and memory treat it like a stream. */
export class HttpCall implements GuestRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly connection: HttpConnection;
  readonly #clock: Clock;
  #isClosed = false;
  /** Made when somebody asks for it. */
  #gone: AbortController | undefined;
  readonly #closed = Promise.withResolvers<void>();
  readonly #bytesBefore: number;
  #bytesIn = 0;
  readonly #onGone = () => this.#close();
  /** The client that sent the request, once that is known. */
  guest: Guest | undefined;
  /** Its target as events may show it, if it holds a secret; undefined: as it arrived. */
  shownTarget: string | undefined;
  /** True while the request waits for more of its body. */
  isAwaitingBody = false;
  /** Why this side aborted the request. */
  #endedBy: { code: ReasonCode; message: string } | undefined;

  constructor({ request, response, connection, clock }: HttpCallOptions) {
    this.request = request;
    this.response = response;
    this.connection = connection;
    this.#clock = clock;
    this.#bytesBefore = connection.bytesOut;
    connection.once("close", this.#onGone);
  }

  get isHead(): boolean {
    return this.request.method === "HEAD";
  }

  /** Settles when the answer is complete, or nobody waits for it any more. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get signal(): AbortSignal {
    this.#gone ??= new AbortController();
    if (this.#isClosed) this.#gone.abort();
    return this.#gone.signal;
  }

  get endedBy(): { code: ReasonCode; message: string } | undefined {
    return this.#endedBy;
  }

  /** Bytes of the request so far: all that arrived since the one before. */
  get bytesIn(): number {
    this.#bytesIn += this.connection.takeBytesIn();
    return this.#bytesIn;
  }

  /** Bytes of the answer so far. */
  get bytesOut(): number {
    return this.connection.bytesOut - this.#bytesBefore;
  }

  get moved(): number {
    return this.bytesIn + this.bytesOut;
  }

  get isWaiting(): boolean {
    return this.isAwaitingBody || this.connection.isFull;
  }

  reset(code: ErrorCode, message: string): void {
    this.end(code, message);
  }

  /**
   * Abort the request. An answer that has begun breaks off: its head has the length, so nobody takes it for complete.
   */
  end(code: ReasonCode, message: string): void {
    this.#endedBy ??= { code, message };
    if (this.response.headersSent) this.connection.destroy();
    this.#close();
  }

  /**
   * Close the connection after this answer: nothing more is read from it, and requests that have already arrived are
   * ignored.
   */
  endsConnection(): void {
    this.connection.isLast = true;
    this.response.setHeader("connection", "close");
  }

  /**
   * Resolves when node:http has finished the answer before this one. Otherwise it would send that head after our body.
   */
  async inTurn(): Promise<void> {
    if (this.response.socket === null) await this.#heard("socket");
  }

  /** Resolves when the connection has taken the answer, or is gone: a peer that takes nothing is cut off. */
  async sent(): Promise<void> {
    if (this.isWhole) return;
    const sending = this.#heard("finish", "close");
    await (this.connection.isFull ? this.#untilTaken(sending) : sending);
  }

  /** Resolves at the first of these events of the answer, or when the connection is gone. */
  async #heard(...events: string[]): Promise<void> {
    if (this.connection.destroyed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const event of events) this.response.once(event, () => resolve());
    this.connection.once("close", resolve);
    await promise;
    // The connection may outlive this answer.
    this.connection.off("close", resolve);
  }

  /** Whether the whole answer was handed to the connection. */
  get isWhole(): boolean {
    return this.response.writableFinished;
  }

  /** The request is over. */
  finish(): void {
    this.connection.off("close", this.#onGone);
    this.#close();
  }

  /** Begin an answer, with the fields of every answer. */
  head(status: number, headers: OutgoingHttpHeaders): void {
    this.response.writeHead(status, { ...COMMON_FIELDS, ...headers });
  }

  /**
   * Begin an answer whose body follows with the connection's send() and sendFile(); the head leaves with its first
   * bytes.
   */
  begin(status: number, headers: OutgoingHttpHeaders): void {
    this.head(status, headers);
    this.connection.holdHead();
    this.response.flushHeaders();
  }

  /** Send a part of a body of unknown length. */
  async write(text: string): Promise<void> {
    if (text === "" || this.isClosed) return;
    const bytes = Buffer.from(text);
    const { promise, resolve } = Promise.withResolvers<void>();
    // The size of the chunk, the chunk and its end leave in one write, and so does the head before the first one.
    this.connection.cork();
    // Called when the connection has taken it.
    this.response.write(bytes, () => resolve());
    this.connection.uncork();
    await this.paced(bytes.length, Promise.race([promise, this.closed]));
  }

  /** Send an answer in one piece. */
  reply(status: number, headers: OutgoingHttpHeaders, body = ""): void {
    const bytes = Buffer.from(body);
    const hasBody = status !== 304 && status !== 204;
    this.head(status, { ...headers, ...(hasBody && { "content-length": bytes.length }) });
    if (this.isHead || !hasBody) return void this.response.end();
    // Both leave in one write.
    if (bytes.length > 0) this.connection.holdHead();
    this.response.end(bytes);
  }

  /**
   * Wait for `sending`, a write that the connection has not taken at once, and for the rate limit; a peer that takes
   * nothing is cut off.
   */
  async paced(bytes: number, sending: Promise<void> | undefined): Promise<void> {
    if (sending !== undefined) await this.#untilTaken(sending);
    if (this.guest === undefined) return;
    const { rateLimit } = this.guest.session;
    if (rateLimit === undefined) return;
    rateLimit.spend(bytes);
    for (let ms = rateLimit.waitMs(); ms > 0 && !this.isClosed; ms = rateLimit.waitMs()) await this.pause(ms);
  }

  /** Wait, but only as long as somebody waits for the answer. */
  async pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#clock.after(ms, resolve);
    await Promise.race([promise, this.closed]);
    cancel();
  }

  async #untilTaken(sending: Promise<void>): Promise<void> {
    const cancel = this.#clock.after(ANSWER_STALLED_MS, () => this.connection.destroy());
    try {
      await sending;
    } finally {
      cancel();
    }
  }

  #close(): void {
    this.#isClosed = true;
    this.#gone?.abort();
    this.#closed.resolve();
  }
}
