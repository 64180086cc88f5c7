import type { IncomingMessage } from "node:http";
import { CommError, StreamError } from "../errors.ts";
import type { Clock } from "../session/clock.ts";
import { discard, hold, letGo } from "../session/held-buffers.ts";
import type { RateLimit } from "../session/rate-limit.ts";
import type { BodyReader } from "./body-reader.ts";
import type { HttpCall } from "./http-call.ts";
import { MAX_UNREAD_BYTES } from "./http-connection.ts";
import { HttpFault } from "./http-fault.ts";

/** A body is given up when nothing of it arrives for this long. */
export const BODY_STALLED_MS = 60_000;

/** The body of a request, read as fast as the rate and its reader allow: the system's buffers slow down the peer. */
export class RequestBody implements BodyReader {
  readonly #call: HttpCall;
  readonly #clock: Clock;
  readonly #rateLimit: RateLimit | undefined;
  /** The buffer that is being filled, and the bytes in it. */
  #target: Uint8Array | undefined;
  #filled = 0;
  /** Pieces that arrived beyond the end of the last target, and their bytes. At most one piece of a held buffer. */
  #rest: Uint8Array[] = [];
  #restBytes = 0;
  #isEnded = false;
  #isBegun = false;
  #wake: () => void = () => {};
  #cancelPause: (() => void) | undefined;

  constructor(call: HttpCall, clock: Clock) {
    this.#call = call;
    this.#clock = clock;
    this.#rateLimit = call.guest?.session.inboundLimit;
  }

  /**
   * Fill `buffer`, which belongs to the caller again when this has settled. The first call answers a peer that asked
   * whether it may send (RFC 9110, 10.1.1).
   *
   * @returns the number of filled bytes: less than the size of the buffer only at the end of the body
   * @throws HttpFault for a body that stalls; CommError why the request was given up; CANCELLED when the peer is gone
   */
  async fill(buffer: Uint8Array): Promise<number> {
    this.#begin();
    this.#target = buffer;
    this.#filled = 0;
    const rest = this.#rest;
    this.#rest = [];
    this.#restBytes = 0;
    for (const piece of rest) if (this.#put(piece)) letGo(piece);
    this.#call.connection.proceed();
    try {
      while (!this.#isFilled && !this.#isEnded) await this.#more();
    } finally {
      this.#target = undefined;
    }
    return this.#filled;
  }

  /**
   * All announced bytes have arrived: check that nothing follows.
   *
   * @throws StreamError BAD_PARAMS for a body that is longer; as fill()
   */
  async requireEnd(): Promise<void> {
    if (this.#isEnded && this.#rest.length === 0) return;
    if ((await this.fill(new Uint8Array(1))) === 0) return;
    throw new StreamError("BAD_PARAMS", "The body is longer than announced.");
  }

  /** Nothing more of the body is wanted. */
  close(): void {
    this.#cancelPause?.();
    const { request, connection } = this.#call;
    request.off("data", this.#takeCopy);
    request.off("end", this.#end);
    if (connection.bodyReader === this) connection.bodyReader = undefined;
    // Its end must still be read, since the next request comes after it.
    if (request.complete) request.resume();
  }

  get request(): IncomingMessage {
    return this.#call.request;
  }

  /** True when too much waits here, or the rate is used up. */
  get isFull(): boolean {
    return this.#restBytes >= MAX_UNREAD_BYTES || this.#cancelPause !== undefined;
  }

  take(piece: Uint8Array): void {
    if (!this.#put(piece)) hold(piece);
    this.#noteTaken(piece.length);
  }

  get #isFilled(): boolean {
    return this.#target === undefined || this.#filled === this.#target.length;
  }

  #begin(): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    const { request, response, connection } = this.#call;
    // Older peers know no interim answers (RFC 9110, 10.1.1).
    const isAsked = request.httpVersion !== "1.0" && /100-continue/i.test(request.headers.expect ?? "");
    if (isAsked) response.writeContinue();
    request.on("data", this.#takeCopy);
    request.on("end", this.#end);
    request.on("error", this.#gone);
    request.pause();
    connection.bodyReader = this;
  }

  /** Wait until the target is full or the body has ended. */
  async #more(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    let before = this.#filled;
    let isStalled = false;
    let cancel = () => {};
    const watch = () => {
      // This side is waiting, and not the peer.
      isStalled = this.#filled === before && this.#cancelPause === undefined;
      before = this.#filled;
      if (isStalled) resolve();
      else cancel = this.#clock.after(BODY_STALLED_MS, watch);
    };
    cancel = this.#clock.after(BODY_STALLED_MS, watch);
    this.#call.isAwaitingBody = true;
    if (this.#cancelPause === undefined) this.#call.request.resume();
    await Promise.race([promise, this.#call.closed]);
    this.#call.isAwaitingBody = false;
    this.#call.request.pause();
    cancel();
    if (this.#call.isClosed) throw this.#reason();
    if (isStalled) {
      const words = `Nothing of the body has arrived for ${BODY_STALLED_MS / 1000} s.`;
      throw new HttpFault("CANCELLED", words, { status: 408 });
    }
  }

  #reason(): CommError {
    const { endedBy } = this.#call;
    if (endedBy === undefined || endedBy.code === "OK") {
      return new CommError("CANCELLED", "The connection ended before the body did.");
    }
    return new CommError(endedBy.code, endedBy.message);
  }

  readonly #takeCopy = (piece: Uint8Array): void => {
    const { length } = piece;
    // Its memory takes the next piece, and not new memory.
    if (this.#put(piece) && length === piece.buffer.byteLength) discard(piece);
    this.#call.connection.proceed();
    this.#noteTaken(length);
  };

  #noteTaken(bytes: number): void {
    this.#pace(bytes);
    if (this.#isFilled) this.#pause();
  }

  readonly #end = (): void => {
    this.#isEnded = true;
    this.#wake();
  };

  readonly #gone = (): void => {
    this.#call.end("CANCELLED", "The connection ended before the body did.");
  };

  /** Copy it into the target. @returns whether there was room for all of it; otherwise the rest waits */
  #put(piece: Uint8Array): boolean {
    const target = this.#target;
    const room = target === undefined ? 0 : target.length - this.#filled;
    const isAll = piece.length <= room;
    target?.set(isAll ? piece : piece.subarray(0, room), this.#filled);
    this.#filled += Math.min(room, piece.length);
    if (isAll) return true;
    this.#rest.push(piece.subarray(room));
    this.#restBytes += piece.length - room;
    return false;
  }

  #pause(): void {
    this.#call.request.pause();
    this.#wake();
  }

  #pace(bytes: number): void {
    if (this.#rateLimit === undefined) return;
    this.#rateLimit.spend(bytes);
    const ms = this.#rateLimit.waitMs();
    if (ms === 0 || this.#cancelPause !== undefined) return;
    this.#call.request.pause();
    this.#call.isAwaitingBody = false;
    this.#cancelPause = this.#clock.after(ms, () => {
      this.#cancelPause = undefined;
      this.#call.isAwaitingBody = !this.#isFilled;
      if (!this.#isFilled) this.#call.request.resume();
      this.#call.connection.proceed();
    });
  }
}
