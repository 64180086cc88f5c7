import type * as v from "valibot";
import { CommError, codeOfWire, type ErrorCode, ProtocolError, RemoteError, type TransportError } from "../errors.ts";
import { MAX_STREAM_ID } from "../protocol/constants.ts";
import { type Header, readUint32 } from "../protocol/header.ts";
import { decodeJson } from "../protocol/json.ts";
import { encodeReason, Open, Reason, type ReasonCode, Result, reasonOfWire } from "../protocol/messages.ts";
import { Flag, Opcode } from "../protocol/opcode.ts";
import type { Clock } from "./clock.ts";
import { discard } from "./held-buffers.ts";
import type { Link, LinkHandler } from "./link.ts";
import { encodeControl, Stream, type StreamPort } from "./stream.ts";

/** How long a server that ends in order waits for the client: the end of a file may still be on a slow way. */
const ORDERLY_LINGER_MS = 10_000;

/** What one side lets the other do; sent in HELLO and WELCOME. */
export interface StreamLimits {
  /** Bytes of DATA that may be sent on a new stream before the first CREDIT. */
  readonly credit: number;
  readonly maxStreams: number;
}

/** Why and by whom a session ended. */
export interface SessionEnd {
  /** `remote` and `local`: that side said goodbye with `code`. `lost`: nobody did. */
  readonly by: "local" | "remote" | "lost";
  readonly code: ReasonCode;
  readonly message: string;
}

export interface SessionHandler {
  /** The peer opened a stream. Answer with accept() or reset(); must not throw. */
  onOpen(stream: Stream, request: Open): void;
  /** The peer will end the session: no stream can be opened any more; those under way go on. */
  onGoAway?(reason: { code: ReasonCode; message: string }): void;
  onEnd(end: SessionEnd): void;
}

export interface SessionOptions {
  readonly side: "client" | "server";
  readonly clock: Clock;
  /** What the peer granted us, and what we granted the peer. */
  readonly remote: StreamLimits;
  readonly local: StreamLimits;
  /** Both sides have named the capability "working". */
  readonly isWorkingTold?: boolean;
  readonly handler: SessionHandler;
}

/** The streams of one admitted peer over a link, until one side leaves. Source: PROTOCOL.md, "Sessions". */
export class Session implements LinkHandler {
  readonly #link: Link;
  readonly #options: SessionOptions;
  readonly #streams = new Map<number, Stream>();
  #streamPort: StreamPort | undefined;
  #nextId: number;
  #lastPeerId = 0;
  #peerStreams = 0;
  /** What ends the session; set by the first side that says so. */
  #end: SessionEnd | undefined;
  /** GOAWAY was sent, was received. */
  #hasLeft = false;
  #peerHasLeft = false;
  #cancelDeadline: (() => void) | undefined;
  #idleSince: number;
  #ended = false;

  /** Takes the link over from the handshake. */
  constructor(link: Link, options: SessionOptions) {
    this.#link = link;
    this.#options = options;
    this.#idleSince = options.clock.now();
    this.#nextId = options.side === "client" ? 1 : 2;
    link.liftLimits();
    link.startHeartbeat();
    link.handler = this;
  }

  get peer(): string {
    return this.#link.peer;
  }

  get bytesIn(): number {
    return this.#link.bytesIn;
  }

  get bytesOut(): number {
    return this.#link.bytesOut;
  }

  /** Settles when the transport is gone: then the last words have been heard, or never will be. */
  get closed(): Promise<void> {
    return this.#link.closed;
  }

  /** True while the peer does not read what it is sent; a push would only wait. */
  get congested(): boolean {
    return this.#link.congested;
  }

  /** False while as many streams of ours are open as the peer allows. */
  get canOpen(): boolean {
    return this.#streams.size - this.#peerStreams < this.#options.remote.maxStreams;
  }

  /** Since when there is no stream, on the clock; undefined while there is one. */
  get idleSince(): number | undefined {
    return this.#streams.size === 0 ? this.#idleSince : undefined;
  }

  /**
   * Open a stream. With `end` no body follows in this direction.
   *
   * @throws CommError TOO_MANY_STREAMS, INTERNAL when the request is too large for a frame, or the reason why the session is ending
   */
  open(request: { method: string; params: Record<string, unknown> }, options: { end?: boolean } = {}): Stream {
    if (this.#end !== undefined) throw errorOf(this.#end);
    if (!this.canOpen) {
      throw new CommError(
        "TOO_MANY_STREAMS",
        `The other end allows ${this.#options.remote.maxStreams} requests at once.`,
      );
    }
    if (this.#nextId > MAX_STREAM_ID) throw new CommError("TOO_MANY_STREAMS", "The session is used up: connect anew.");
    const payload = encodeControl(request);
    const stream = this.#addStream(this.#nextId, true);
    this.#nextId += 2;
    this.#link.send(Opcode.OPEN, stream.id, payload, options.end ? Flag.END : 0);
    discard(payload);
    if (options.end) stream.endWithOpen();
    return stream;
  }

  /** Tell the peer that its requests are not forgotten. Source: PROTOCOL.md, "Working". */
  onInterval(): void {
    // A peer that does not read what is there already needs no more of it.
    if (this.#options.isWorkingTold !== true || this.#ended || this.#link.hasUnsent) return;
    for (const stream of this.#streams.values()) if (!this.#isOurs(stream.id)) stream.sayWorking();
  }

  /** Round-trip time in milliseconds. @throws TransportError LOST */
  ping(): Promise<number> {
    return this.#link.ping();
  }

  /**
   * Leave in order: say why, let the streams under way end, then close. After `deadlineMs` they are reset.
   */
  goAway(code: ReasonCode, message: string, deadlineMs: number): void {
    if (this.#hasLeft || this.#ended) return;
    this.#hasLeft = true;
    this.#end ??= { by: "local", code, message };
    this.#link.send(Opcode.GOAWAY, 0, encodeReason(code, message));
    this.#cancelDeadline = this.#options.clock.after(deadlineMs, () => this.#close());
    this.#closeWhenIdle();
  }

  /** End now, with a last word: streams fail on both sides. */
  terminate(code: ReasonCode, message: string): void {
    if (this.#ended) return;
    this.#end = { by: "local", code, message };
    // Said once: a second GOAWAY would be a violation of ours.
    if (!this.#hasLeft) this.#link.send(Opcode.GOAWAY, 0, encodeReason(code, message));
    this.#hasLeft = true;
    this.#close();
  }

  onFrame(header: Header, payload: Uint8Array): void {
    switch (header.opcode) {
      case Opcode.OPEN:
        return this.#onOpen(header, payload);
      case Opcode.ACCEPT:
        return this.#streamOf(header)?.onAccept(decodeJson(Result, payload, "ACCEPT"), (header.flags & Flag.END) !== 0);
      case Opcode.CREDIT:
        return this.#streamOf(header)?.onCredit(readUint32(payload, 0));
      case Opcode.END:
        return this.#streamOf(header)?.onEnd(payload.length === 0 ? {} : decodeJson(Result, payload, "END"));
      case Opcode.RESET:
        return this.#streamOf(header)?.fail(resetError(decodeJson(Reason, payload, "RESET")));
      case Opcode.WORKING:
        if (this.#options.isWorkingTold !== true) {
          throw new ProtocolError("UNEXPECTED_FRAME", "WORKING comes, though not both sides know it.");
        }
        return this.#streamOf(header)?.onWorking();
      case Opcode.GOAWAY: {
        const { code, message } = decodeJson(Reason, payload, "GOAWAY");
        return this.#onGoAway(reasonOfWire(code), message);
      }
      default:
        throw new ProtocolError("UNEXPECTED_FRAME", "A frame of the handshake comes after admission.");
    }
  }

  onData(streamId: number, piece: Uint8Array): void {
    this.#streamById(streamId)?.onData(piece);
  }

  onFault(error: CommError): void {
    this.terminate(error.code, error.message);
  }

  onClosed(error: TransportError | undefined): void {
    if (error !== undefined) this.#end ??= { by: "lost", code: error.code, message: error.message };
    this.#finish();
  }

  #onOpen(header: Header, payload: Uint8Array): void {
    const id = header.streamId;
    const peerParity = this.#options.side === "client" ? 0 : 1;
    if (id % 2 !== peerParity) throw new ProtocolError("BAD_STREAM", `Stream id ${id} belongs to the other side.`);
    if (id <= this.#lastPeerId) throw new ProtocolError("BAD_STREAM", `Stream id ${id} was used before.`);
    const request = decodeJson(Open, payload, "OPEN");
    this.#lastPeerId = id;
    if (this.#end !== undefined) return this.#refuseStream(id, "SHUTDOWN", "The session is ending.");
    if (this.#peerStreams >= this.#options.local.maxStreams) {
      return this.#refuseStream(id, "TOO_MANY_STREAMS", `${this.#peerStreams} requests are under way.`);
    }
    const stream = this.#addStream(id, false);
    this.#peerStreams++;
    if ((header.flags & Flag.END) !== 0) stream.onOpenEnd();
    this.#options.handler.onOpen(stream, request);
  }

  #refuseStream(id: number, code: ReasonCode, message: string): void {
    this.#link.send(Opcode.RESET, id, encodeReason(code, message));
  }

  #onGoAway(code: ReasonCode, message: string): void {
    if (this.#peerHasLeft) throw new ProtocolError("UNEXPECTED_FRAME", "A second GOAWAY.");
    this.#peerHasLeft = true;
    // Both may leave at once: the first word that was said stands.
    this.#end ??= { by: "remote", code, message };
    this.#options.handler.onGoAway?.({ code, message });
    this.#closeWhenIdle();
  }

  #addStream(id: number, opener: boolean): Stream {
    const stream = new Stream({
      id,
      opener,
      port: this.#port,
      sendCredit: this.#options.remote.credit,
      receiveWindow: this.#options.local.credit,
    });
    this.#streams.set(id, stream);
    return stream;
  }

  /** Made with the first stream. */
  get #port(): StreamPort {
    this.#streamPort ??= {
      send: (...frame) => this.#link.send(...frame),
      sendCredit: (...grant) => this.#link.sendCredit(...grant),
      disown: (stream) => this.#link.disownStream(stream),
      addSource: (source) => this.#link.addSource(source),
      removeSource: (source) => this.#link.removeSource(source),
      canSendFiles: () => this.#link.canSendFiles,
      onBodySent: (id) => this.#streams.get(id)?.onBodySent(),
      onStreamClosed: (closed) => this.#onStreamClosed(closed),
    };
    return this.#streamPort;
  }

  #onStreamClosed(stream: Stream): void {
    if (!this.#streams.delete(stream.id)) return;
    this.#idleSince = this.#options.clock.now();
    if (!this.#isOurs(stream.id)) this.#peerStreams--;
    this.#closeWhenIdle();
  }

  #streamOf(header: Header): Stream | undefined {
    return this.#streamById(header.streamId);
  }

  /** The stream, or undefined when it is over: such a frame crossed with END or RESET and means nothing. */
  #streamById(id: number): Stream | undefined {
    const stream = this.#streams.get(id);
    if (stream !== undefined) return stream;
    const wasOpened = this.#isOurs(id) ? id < this.#nextId : id <= this.#lastPeerId;
    if (!wasOpened) throw new ProtocolError("BAD_STREAM", `Stream ${id} was never opened.`);
    return undefined;
  }

  #isOurs(id: number): boolean {
    return id % 2 === (this.#options.side === "client" ? 1 : 0);
  }

  #closeWhenIdle(): void {
    if (this.#end === undefined || this.#ended || this.#streams.size > 0) return;
    this.#close(this.#options.side === "server" ? ORDERLY_LINGER_MS : undefined);
  }

  /** Nothing more is said or heard, though the transport may need a while to get the last words through. */
  #close(lingerMs?: number): void {
    this.#link.close(lingerMs);
    this.#finish();
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelDeadline?.();
    this.#end ??= { by: "lost", code: "LOST", message: "The other end closed without a word." };
    const error = errorOf(this.#end);
    const isLost = this.#end.by === "lost";
    for (const stream of [...this.#streams.values()]) stream.fail(error, isLost);
    this.#options.handler.onEnd(this.#end);
  }
}

/** What a request gets when the session ended for this reason. */
export function errorOf(end: SessionEnd): CommError {
  const code = end.code === "OK" ? "LOST" : end.code;
  return end.by === "remote" ? remoteError(code, end.message) : new CommError(code, end.message);
}

function resetError({ code, message, retryAfterMs }: v.InferOutput<typeof Reason>): RemoteError {
  return remoteError(code === 0 ? "CANCELLED" : codeOfWire(code), message, retryAfterMs);
}

function remoteError(code: ErrorCode, message: string, retryAfterMs?: number): RemoteError {
  return new RemoteError(code, message || `The other end said ${code} and no more.`, retryAfterMs);
}
