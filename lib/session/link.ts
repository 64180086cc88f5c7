import { type CommError, TransportError, toCommError } from "../errors.ts";
import { MAX_CONTROL_BYTES } from "../protocol/constants.ts";
import { encodeFrame, type Header, writeUint32 } from "../protocol/header.ts";
import { encodeReason, type ReasonCode } from "../protocol/messages.ts";
import { Opcode } from "../protocol/opcode.ts";
import { Backlogs } from "./backlogs.ts";
import type { Clock } from "./clock.ts";
import { Closing } from "./closing.ts";
import { Heartbeat, type HeartbeatOptions } from "./heartbeat.ts";
import { InboundRate } from "./inbound-rate.ts";
import { Hold, Intake, type IntakeSink } from "./intake.ts";
import type { LinkHandler } from "./link-handler.ts";
import type { RateLimits } from "./rate-limit.ts";
import { type FrameSource, SendQueue } from "./send-queue.ts";
import type { Transport, TransportHandler } from "./transport.ts";

/** Bytes of waiting control frames above which the peer counts as not reading. */
export const CONGESTED_BYTES = 256 * 1024;

export interface LinkOptions {
  readonly clock: Clock;
  readonly handler: LinkHandler;
  /** How often to check whether the peer is alive: the interval of Heartbeat. */
  readonly heartbeatMs: number;
  /** Absent: no limits. */
  readonly rateLimit?: RateLimits;
  /** Whether ACCEPT frames count, too, when the peer does not read; true at only one side of a link. */
  readonly countsAccepts?: boolean;
  /** The links with which it takes turns when more arrives than one turn handles; absent: none. */
  readonly backlogs?: Backlogs;
  /** Called when nothing is left of the link. */
  onGone?(link: Link): void;
}

/**
 * Frames over a transport: incoming bytes pass the intake, outgoing frames the send queue; PING and PONG are handled
 * here. The link itself is the handler of its parts: closures would take most of an idle session's memory.
 *
 * How a link ends: close() lets what is queued leave, and the transport lingers for it; abort() does not. Either way
 * the transport calls onClosed() once, and then nothing is left: no timer, no buffer, no wait for `closed`. The handler
 * is called once, too: at the latest then, or when the peer has ended its side (onPeerEnd()), after its last frames.
 */
export class Link implements TransportHandler, IntakeSink, HeartbeatOptions {
  readonly #transport: Transport;
  readonly #intake: Intake;
  readonly #queue: SendQueue;
  readonly #heartbeat: Heartbeat;
  readonly #inboundRate: InboundRate | undefined;
  readonly #onGone: LinkOptions["onGone"];
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly #closing = new Closing();
  /** The handler knows that the peer is gone. */
  #isTold = false;
  handler: LinkHandler;
  /** Bytes on the wire, headers included. */
  bytesIn = 0;

  constructor(transport: Transport, options: LinkOptions) {
    this.#transport = transport;
    this.handler = options.handler;
    this.#onGone = options.onGone;
    this.clock = options.clock;
    this.intervalMs = options.heartbeatMs;
    const { clock, rateLimit } = options;
    this.#intake = new Intake(transport, this, options.backlogs ?? new Backlogs(clock));
    this.#queue = new SendQueue(transport, rateLimit?.out && { limit: rateLimit.out, clock });
    this.#queue.countsAccepts = options.countsAccepts ?? false;
    this.#inboundRate = rateLimit?.in && new InboundRate(rateLimit.in, clock, this.#intake);
    this.#heartbeat = new Heartbeat(this);
  }

  get bytesOut(): number {
    return this.#queue.bytesOut;
  }

  get canSendFiles(): boolean {
    return this.#transport.canSendFiles;
  }

  get peer(): string {
    return this.#transport.peer;
  }

  get channelBinding(): Uint8Array | undefined {
    return this.#transport.channelBinding;
  }

  /** Settles when the transport is gone and nothing of this link is left. */
  get closed(): Promise<void> {
    return this.#closing.settled;
  }

  /** True while control frames pile up because the peer does not read. */
  get congested(): boolean {
    return this.#queue.controlBytes > CONGESTED_BYTES;
  }

  /** True while control frames wait for the transport. */
  get hasUnsent(): boolean {
    return this.#queue.controlBytes > 0;
  }

  start(): void {
    this.#transport.start(this);
  }

  /** Begin to send PINGs, and to answer them. */
  startHeartbeat(): void {
    this.#heartbeat.start();
  }

  /** The peer is admitted: it may send control frames of full size. */
  liftLimits(): void {
    this.#intake.decoder.maxControlBytes = MAX_CONTROL_BYTES;
  }

  /** Queue a control frame; the payload is copied. `onSent` is called when it was sent, and never if it is not. */
  send(opcode: Opcode, streamId: number, payload: Uint8Array, flags = 0, onSent?: () => void): void {
    this.#queue.pushControl(encodeFrame(opcode, streamId, payload, flags), onSent);
    this.#holdIfUnread();
  }

  /** A stream is over while answers on it may still wait. */
  disownStream(streamId: number): void {
    this.#queue.disown(streamId);
    this.#holdIfUnread();
  }

  /** While a peer does not read the answers that it causes, don't read from it. */
  #holdIfUnread(): void {
    const isUnread = this.#queue.causedBytes > CONGESTED_BYTES;
    if (isUnread && !this.#intake.isHeld(Hold.unread)) this.#intake.holdUnread(this.#queue);
  }

  /** Grant the peer credit on a stream, later when it sends faster than it may. */
  sendCredit(streamId: number, bytes: number): void {
    const payload = new Uint8Array(4);
    writeUint32(payload, 0, bytes);
    if (this.#inboundRate === undefined) this.send(Opcode.CREDIT, streamId, payload);
    else this.#inboundRate.grant(() => this.send(Opcode.CREDIT, streamId, payload));
  }

  addSource(source: FrameSource): void {
    this.#queue.addSource(source);
  }

  removeSource(source: FrameSource): void {
    this.#queue.removeSource(source);
  }

  /** Round-trip time in milliseconds. @throws TransportError LOST when the link ends first */
  ping(): Promise<number> {
    return this.#heartbeat.ping();
  }

  /** Send a last frame with the reason, then close(). */
  closeWith(opcode: typeof Opcode.REFUSE | typeof Opcode.GOAWAY, code: ReasonCode, message: string): void {
    this.send(opcode, 0, encodeReason(code, message));
    this.close();
  }

  /** Decode nothing more, send what is queued, then end cleanly; `lingerMs` as Transport.close(). */
  close(lingerMs?: number): void {
    this.#intake.decoder.stop();
    this.#heartbeat.stop();
    this.#queue.close(lingerMs);
  }

  /** End at once. */
  abort(): void {
    this.#intake.decoder.stop();
    this.#heartbeat.stop();
    this.#transport.abort();
  }

  sendPing(nonce: Uint8Array): void {
    this.send(Opcode.PING, 0, nonce);
  }

  /** The peer has fallen silent, or broken the protocol. */
  onDead(error: CommError): void {
    if (this.#closing.isClosed) return;
    this.#intake.decoder.stop();
    this.handler.onFault(error);
  }

  onInterval(): void {
    this.handler.onInterval?.();
  }

  onDrain(): void {
    this.#queue.drained();
  }

  onData(streamId: number, piece: Uint8Array): void {
    this.#inboundRate?.charge(piece.length);
    this.handler.onData(streamId, piece);
  }

  onBytes(bytes: Uint8Array): void {
    this.bytesIn += bytes.length;
    if (this.#intake.isHeld(Hold.unread)) return this.#intake.refuse(bytes);
    this.#heartbeat.noteReceived();
    this.#intake.take(bytes);
  }

  /** Anything but a ProtocolError is a defect of ours; it, too, ends only this link. */
  onDecodeError(error: unknown): void {
    this.onDead(toCommError(error));
  }

  onFrame(header: Header, payload: Uint8Array): void {
    const { opcode } = header;
    if (opcode === Opcode.PING && this.#heartbeat.started) this.send(Opcode.PONG, 0, payload);
    else if (opcode === Opcode.PONG && this.#heartbeat.started) this.#heartbeat.notePong(payload);
    else this.handler.onFrame(header, payload);
  }

  onPeerEnd(): void {
    this.#intake.whenHeard(() => {
      this.#intake.drop();
      this.close();
      this.#tellClosed(undefined);
    });
  }

  onClosed(error: Error | undefined): void {
    if (error === undefined) this.#intake.whenHeard(() => this.#end(undefined));
    else this.#end(error);
  }

  #end(error: Error | undefined): void {
    if (this.#closing.isClosed) return;
    this.#closing.close();
    this.#intake.close();
    this.#heartbeat.stop();
    this.#queue.abandon();
    this.#inboundRate?.stop();
    this.#onGone?.(this);
    this.#tellClosed(error);
  }

  #tellClosed(error: Error | undefined): void {
    if (this.#isTold) return;
    this.#isTold = true;
    if (error === undefined || error instanceof TransportError) this.handler.onClosed(error);
    else this.handler.onClosed(new TransportError("LOST", `The link was lost: ${error.message}.`, { cause: error }));
  }
}
