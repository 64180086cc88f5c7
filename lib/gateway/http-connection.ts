import type { IncomingMessage } from "node:http";
import { Duplex } from "node:stream";
import { hold, letGo } from "../session/held-buffers.ts";
import type { FileBytes, PeerAddress, Transport, TransportHandler } from "../session/transport.ts";
import { type BodyReader, withoutCopies } from "./body-reader.ts";
import { HttpOutput } from "./http-output.ts";
import { boundOf } from "./request-bound.ts";

/** Bytes that the parser gets at once: it reports all requests in them before anything else happens. */
const PIECE_BYTES = 16 * 1024;

/**
 * Bytes that it gets in the middle of a body, where no request can begin. The parser copies them: a copy of this size
 * stays in the processor's cache, and the next one gets its memory.
 */
const BODY_PIECE_BYTES = 128 * 1024;

/** The most bytes of a body that may wait here unread. */
export const MAX_UNREAD_BYTES = 64 * 1024;

/** The most requests of a connection that are answered or wait. lftp sends hundreds: the rest stay with the peer. */
export const MAX_PIPELINED = 16;

/** An HTTP connection: a stream for node:http over a transport, and a direct way for the bodies of answers. */
export class HttpConnection extends Duplex implements TransportHandler {
  readonly #transport: Transport;
  readonly #output: HttpOutput;
  readonly peer: string;
  readonly peerAddress: PeerAddress;
  readonly isEncrypted: boolean;
  /** Called when bytes have arrived, after all requests in them were reported. */
  onArrival: () => void = () => {};
  /** The last request, and the status for unreadable bytes in the middle of its body. */
  latest: IncomingMessage | undefined;
  fault: string | undefined;
  /** Gets the body of a request, bypassing the request's own stream. */
  bodyReader: BodyReader | undefined;
  /** True after a head has begun to arrive. */
  isReading = false;
  /** The answer under way is the last: whatever arrived after its request is ignored. */
  isLast = false;
  #bytesIn = 0;
  /** Bytes that the parser is getting now, and a lower limit for the bytes after them that still belong to a body. */
  #pieceBytes = 0;
  #bodyLeft = 0;
  #isPaused = false;
  #isFeeding = false;
  /** Bytes of requests that must wait until others are answered. */
  #held: Uint8Array | undefined;
  #hasPeerEnded = false;
  #isClosing = false;
  /** The number of requests that are being answered, or wait for their turn. */
  requests = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(transport: Transport) {
    super({ allowHalfOpen: true });
    this.#transport = transport;
    this.#output = new HttpOutput(transport);
    this.peer = transport.peer;
    this.peerAddress = transport.peerAddress;
    this.isEncrypted = transport.channelBinding !== undefined;
    this.on("error", () => {}); // "close" reports it
  }

  get group(): string {
    return this.peerAddress.group;
  }

  /** Bytes that have arrived since the last call. */
  takeBytesIn(): number {
    const bytes = this.#bytesIn;
    this.#bytesIn = 0;
    return bytes;
  }

  /** Begin to receive. */
  start(): void {
    this.#transport.start(this);
  }

  /** Answer the requests one after the other, in the order of arrival. */
  async inTurn(answer: () => Promise<void>): Promise<void> {
    this.requests++;
    const turn = this.#last.then(async () => {
      if (!this.destroyed && !this.isLast) await answer();
    });
    this.#last = turn.catch(() => {});
    try {
      await turn;
    } finally {
      this.requests--;
      this.proceed();
    }
  }

  get canSendFiles(): boolean {
    return this.#transport.canSendFiles;
  }

  /** A request with a body of `bytes` was read, in the piece that the parser is getting: assume that all of it is body. */
  expectBody(bytes: number): void {
    this.#bodyLeft = Math.max(0, bytes - this.#pieceBytes);
  }

  /** Bytes that were handed to the transport. */
  get bytesOut(): number {
    return this.#output.bytes;
  }

  /** True while the other end does not take the sent bytes. */
  get isFull(): boolean {
    return this.#output.isFull;
  }

  /** As HttpOutput. */
  holdHead(): void {
    this.#output.holdHead();
  }

  /** As HttpOutput. */
  sendHead(): Promise<void> | undefined {
    return this.#output.sendHead();
  }

  /** Send a part of a body after its flushed head. The buffer is free when this resolves, or at once if undefined. */
  send(bytes: Uint8Array): Promise<void> | undefined {
    return this.#output.send(bytes);
  }

  /** As send(), for bytes of an open file. */
  sendFile(bytes: FileBytes): Promise<void> | undefined {
    return this.#output.sendFile(bytes);
  }

  onBytes(bytes: Uint8Array): void {
    this.#bytesIn += bytes.length;
    let wantsMore = false;
    if (this.#held !== undefined) this.#held = Buffer.concat([this.#held, bytes]);
    else wantsMore = this.#feed(bytes);
    this.onArrival();
    if (wantsMore || this.#isPaused) return;
    this.#isPaused = true;
    this.#transport.pause();
  }

  /** Give the parser as many of `bytes` as it may have now. @returns whether more may come */
  #feed(bytes: Uint8Array): boolean {
    let [wantsMore, at] = [true, 0];
    // Heads alone are too small to matter.
    const isHeld = this.#bodyLeft > 0;
    if (isHeld) hold(bytes);
    this.#isFeeding = true;
    for (; at < bytes.length && !this.#isCrowded; at += this.#pieceBytes) {
      const body = bytes.subarray(at, at + this.#bodyLeft);
      if (this.#passBody(body)) continue;
      const most = Math.max(PIECE_BYTES, Math.min(BODY_PIECE_BYTES, this.#bodyLeft));
      const piece = bytes.subarray(at, at + most);
      const room = MAX_PIPELINED - this.requests;
      this.#pieceBytes = piece.length <= this.#bodyLeft ? piece.length : boundOf(piece, room);
      this.#bodyLeft = Math.max(0, this.#bodyLeft - this.#pieceBytes);
      wantsMore = this.push(piece.subarray(0, this.#pieceBytes));
    }
    this.#isFeeding = false;
    if (at < bytes.length) this.#held = bytes.subarray(at);
    else if (isHeld && this.readableLength === 0) letGo(bytes); // the parser has copied what it needs
    if (this.#hasPeerEnded && this.#held === undefined) this.push(null);
    return wantsMore && !this.#isAhead && this.#held === undefined;
  }

  /** Give `body`, bytes of a body only, to its reader, uncopied. @returns false when it must go through the parser */
  #passBody(body: Uint8Array): boolean {
    const reader = this.bodyReader;
    const isNext = reader !== undefined && reader.request === this.latest && reader.request.readableLength === 0;
    if (!isNext || body.length === 0) return false;
    if (!withoutCopies(this, () => void this.push(body))) return false;
    this.#pieceBytes = body.length;
    this.#bodyLeft -= body.length;
    // Otherwise the parser gets it a little later, and the reader gets it from there.
    if (this.readableLength === 0) reader.take(body);
    return true;
  }

  onDrain(): void {
    this.#output.onDrain();
  }

  onPeerEnd(): void {
    this.#hasPeerEnded = true;
    if (this.#held === undefined) this.push(null);
  }

  onClosed(error: Error | undefined): void {
    this.#isClosing = true;
    this.onDrain();
    this.destroy(error);
  }

  override _read(): void {
    // A piece that waits goes first. Pushing nothing makes the stream ask again.
    if (this.readableLength > 0) this.push("");
    else this.proceed();
  }

  /** Some of a body was read: let more arrive. Bun's node:http would read on, and keep bytes that nobody wants. */
  proceed(): void {
    if (!this.#isPaused || this.#isFeeding || this.#isAhead || this.#isCrowded) return;
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined && !this.#feed(held)) return;
    this.#isPaused = false;
    this.#transport.resume();
  }

  /** The parser may get no more now. Nobody knows how many requests are in a piece that still waits for it. */
  get #isCrowded(): boolean {
    return this.requests >= MAX_PIPELINED || this.readableLength > 0 || this.destroyed;
  }

  get #isAhead(): boolean {
    return this.bodyReader?.isFull === true || (this.latest?.readableLength ?? 0) >= MAX_UNREAD_BYTES;
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    this.#output.write(chunk, done);
  }

  override _writev(writes: { chunk: Uint8Array }[], done: () => void): void {
    this.#output.writeAll(writes, done);
  }

  override _final(done: () => void): void {
    this.#close();
    done();
  }

  override _destroy(_error: Error | null, done: (error?: Error | null) => void): void {
    // A connection that was ended cleanly needs no abort: its last bytes are still being sent.
    if (!this.#isClosing) this.#transport.abort();
    this.#isClosing = true;
    this.onDrain();
    done();
  }

  #close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#transport.close();
  }
}
