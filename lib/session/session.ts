import { CommError, ProtocolError, type TransportError } from "../errors.ts";
import { type Header, readUint32 } from "../protocol/header.ts";
import { decodeJson } from "../protocol/json.ts";
import { encodeReason, Open, Reason, type ReasonCode, Result, reasonOfWire } from "../protocol/messages.ts";
import { Flag, Opcode } from "../protocol/opcode.ts";
import { encodeControl } from "./control-payload.ts";
import { discard } from "./held-buffers.ts";
import type { Link } from "./link.ts";
import type { LinkHandler } from "./link-handler.ts";
import { errorOf, resetError, type SessionEnd } from "./session-end.ts";
import type { SessionOptions } from "./session-options.ts";
import { Stream } from "./stream.ts";
import { portOver, type StreamPort } from "./stream-port.ts";
import { StreamTable } from "./stream-table.ts";

/** How long a server that ends cleanly waits for the client: the end of a file may still be on a slow link. */
export const ORDERLY_LINGER_MS = 10_000;

/** The streams of one admitted peer over a link, from handshake to the end. Source: PROTOCOL.md, "Sessions". */
export class Session implements LinkHandler {
  readonly #link: Link;
  readonly #options: SessionOptions;
  readonly #streams: StreamTable;
  #streamPort: StreamPort | undefined;
  /** Why the session ends; set by the side that says so first. */
  #end: SessionEnd | undefined;
  /** GOAWAY was sent, was received. */
  #hasLeft = false;
  #peerHasLeft = false;
  #cancelDeadline: (() => void) | undefined;
  #idleSince: number;
  #ended = false;

  constructor(link: Link, options: SessionOptions) {
    this.#link = link;
    this.#options = options;
    this.#idleSince = options.clock.now();
    this.#streams = new StreamTable(options.side);
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

  /** Settles when the transport is gone: the last frames have arrived by then, or never will. */
  get closed(): Promise<void> {
    return this.#link.closed;
  }

  /** True while the peer does not read what we send; a push would only wait. */
  get congested(): boolean {
    return this.#link.congested;
  }

  /** False while as many streams of ours are open as the peer allows. */
  get canOpen(): boolean {
    return this.#streams.ownStreams < this.#options.remote.maxStreams;
  }

  /** Since when there is no stream, on the clock; undefined while there is one. */
  get idleSince(): number | undefined {
    return this.#streams.size === 0 ? this.#idleSince : undefined;
  }

  /**
   * Open a stream. With `end` no body follows in this direction. @throws CommError TOO_MANY_STREAMS, INTERNAL when the
   * request is too large for a frame, or the reason why the session is ending
   */
  open(request: { method: string; params: Record<string, unknown> }, options: { end?: boolean } = {}): Stream {
    if (this.#end !== undefined) throw errorOf(this.#end);
    if (!this.canOpen) {
      throw new CommError(
        "TOO_MANY_STREAMS",
        `The other end allows ${this.#options.remote.maxStreams} requests at once.`,
      );
    }
    const { nextId } = this.#streams;
    const payload = encodeControl(request);
    const stream = this.#makeStream(nextId, true);
    this.#streams.addOwn(stream);
    this.#link.send(Opcode.OPEN, stream.id, payload, options.end ? Flag.END : 0);
    discard(payload);
    if (options.end) stream.endWithOpen();
    return stream;
  }

  /** Tell the peer that its requests are not forgotten. Source: PROTOCOL.md, "Working". */
  onInterval(): void {
    // A peer that does not read what was sent needs no more.
    if (this.#options.isWorkingTold !== true || this.#ended || this.#link.hasUnsent) return;
    for (const stream of this.#streams.values()) if (!this.#streams.isOurs(stream.id)) stream.sayWorking();
  }

  /** Round-trip time in milliseconds. @throws TransportError LOST */
  ping(): Promise<number> {
    return this.#link.ping();
  }

  /** Leave cleanly: say why, let the streams under way end, then close. Those still open after `deadlineMs` fail. */
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
    // Only once: a second GOAWAY would violate the protocol.
    if (!this.#hasLeft) this.#link.send(Opcode.GOAWAY, 0, encodeReason(code, message));
    this.#hasLeft = true;
    this.#close();
  }

  onFrame(header: Header, payload: Uint8Array): void {
    switch (header.opcode) {
      case Opcode.OPEN:
        return this.#onOpen(header, payload);
      case Opcode.ACCEPT:
        return this.#streams
          .find(header.streamId)
          ?.onAccept(decodeJson(Result, payload, "ACCEPT"), (header.flags & Flag.END) !== 0);
      case Opcode.CREDIT:
        return this.#streams.find(header.streamId)?.onCredit(readUint32(payload, 0));
      case Opcode.END:
        return this.#streams
          .find(header.streamId)
          ?.onEnd(payload.length === 0 ? {} : decodeJson(Result, payload, "END"));
      case Opcode.RESET:
        return this.#streams.find(header.streamId)?.fail(resetError(decodeJson(Reason, payload, "RESET")));
      case Opcode.WORKING:
        if (this.#options.isWorkingTold !== true) {
          throw new ProtocolError("UNEXPECTED_FRAME", "WORKING comes, though not both sides support it.");
        }
        return this.#streams.find(header.streamId)?.onWorking();
      case Opcode.GOAWAY: {
        const { code, message } = decodeJson(Reason, payload, "GOAWAY");
        return this.#onGoAway(reasonOfWire(code), message);
      }
      default:
        throw new ProtocolError("UNEXPECTED_FRAME", "A frame of the handshake comes after admission.");
    }
  }

  onData(streamId: number, piece: Uint8Array): void {
    this.#streams.find(streamId)?.onData(piece);
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
    this.#streams.checkPeerId(id);
    const request = decodeJson(Open, payload, "OPEN");
    this.#streams.notePeerId(id);
    // "A side MUST answer an OPEN after the GOAWAY of either side with RESET and SHUTDOWN, unless the pipe closes
    // first." (PROTOCOL.md, "Sessions")
    if (this.#end !== undefined) return this.#refuseStream(id, "SHUTDOWN", "The session is ending.");
    const { peerStreams } = this.#streams;
    if (peerStreams >= this.#options.local.maxStreams) {
      return this.#refuseStream(id, "TOO_MANY_STREAMS", `${peerStreams} requests are under way.`);
    }
    const stream = this.#makeStream(id, false);
    this.#streams.addPeers(stream);
    if ((header.flags & Flag.END) !== 0) stream.onOpenEnd();
    this.#options.handler.onOpen(stream, request);
  }

  #refuseStream(id: number, code: ReasonCode, message: string): void {
    this.#link.send(Opcode.RESET, id, encodeReason(code, message));
  }

  #onGoAway(code: ReasonCode, message: string): void {
    if (this.#peerHasLeft) throw new ProtocolError("UNEXPECTED_FRAME", "The other end sent a second GOAWAY.");
    this.#peerHasLeft = true;
    // Both may leave at once: the reason that was given first stands.
    this.#end ??= { by: "remote", code, message };
    this.#options.handler.onGoAway?.({ code, message });
    this.#closeWhenIdle();
  }

  #makeStream(id: number, opener: boolean): Stream {
    return new Stream({
      id,
      opener,
      port: this.#port,
      sendCredit: this.#options.remote.credit,
      receiveWindow: this.#options.local.credit,
    });
  }

  /** Made with the first stream. */
  get #port(): StreamPort {
    this.#streamPort ??= portOver(this.#link, {
      onBodySent: (id) => this.#streams.find(id)?.onBodySent(),
      onStreamClosed: (id) => this.#onStreamClosed(id),
    });
    return this.#streamPort;
  }

  #onStreamClosed(id: number): void {
    if (!this.#streams.remove(id)) return;
    this.#idleSince = this.#options.clock.now();
    this.#closeWhenIdle();
  }

  #closeWhenIdle(): void {
    if (this.#end === undefined || this.#ended || this.#streams.size > 0) return;
    this.#close(this.#options.side === "server" ? ORDERLY_LINGER_MS : undefined);
  }

  /** Send and receive nothing more. The transport may need a while for the last frames. */
  #close(lingerMs?: number): void {
    this.#link.close(lingerMs);
    this.#finish();
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelDeadline?.();
    this.#end ??= { by: "lost", code: "LOST", message: "The other end closed the connection without giving a reason." };
    const error = errorOf(this.#end);
    const isLost = this.#end.by === "lost";
    for (const stream of [...this.#streams.values()]) stream.fail(error, isLost);
    this.#options.handler.onEnd(this.#end);
  }
}
