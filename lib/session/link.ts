import { type CommError, TransportError, toCommError } from "../errors.ts";
import { MAX_CONTROL_BYTES } from "../protocol/constants.ts";
import { FrameDecoder, type FrameSink } from "../protocol/frame-decoder.ts";
import { encodeFrame, type Header, writeUint32 } from "../protocol/header.ts";
import { encodeReason, type ReasonCode } from "../protocol/messages.ts";
import { Opcode } from "../protocol/opcode.ts";
import { Backlogs } from "./backlogs.ts";
import type { Clock } from "./clock.ts";
import { Heartbeat, type HeartbeatOptions } from "./heartbeat.ts";
import { discard, hold, letGo } from "./held-buffers.ts";
import type { RateLimit } from "./rate-limit.ts";
import { type FrameSource, SendQueue } from "./send-queue.ts";
import type { Transport, TransportHandler } from "./transport.ts";

/** Control frames waiting above this say that the peer does not read. */
const CONGESTED_BYTES = 256 * 1024;

/** Work for one peer that is done in a row: FrameDecoder.push() says what is how much. */
const WORK_PER_TURN = 128;

/** A peer that has sent so much too early that it would take so long is not read from. */
const MAX_DEBT_MS = 2_000;

/** Why a link does not read: the peer does not either, it has sent more frames than it is its turn for, or faster than it may. */
const Hold = { unread: 1, backlog: 2, rate: 4 } as const;
type Hold = (typeof Hold)[keyof typeof Hold];

/** Who takes the frames of a link: the handshake first, then the session. */
export interface LinkHandler {
  onFrame(header: Header, payload: Uint8Array): void;
  onData(streamId: number, piece: Uint8Array): void;
  /** The peer broke the protocol or fell silent, and nothing more is decoded: say why and close. */
  onFault(error: CommError): void;
  /** An interval of the heartbeat is over. */
  onInterval?(): void;
  /** The peer is gone, told once. `error` is set when the transport was lost. */
  onClosed(error: TransportError | undefined): void;
}

export interface LinkOptions {
  readonly clock: Clock;
  readonly handler: LinkHandler;
  /** How often to look whether the peer is alive: the interval of Heartbeat. */
  readonly heartbeatMs: number;
  /** How fast DATA may go out, and come in; absent: as fast as it goes. */
  readonly rateLimit?: { readonly out: RateLimit | undefined; readonly in: RateLimit | undefined };
  /** Whether accepted requests count, too, when the peer does not read; at one side of a link only. */
  readonly countsAccepts?: boolean;
  /** With whom it takes turns when more comes than is handled at once; absent: with nobody. */
  readonly backlogs?: Backlogs;
  /** Told the link when nothing is left of it. */
  onGone?(link: Link): void;
}

/**
 * Frames over a transport: decoding, the send queue, PING and PONG. It is itself the handler of its parts: closures
 * for each of them would take more memory than all else in an idle session.
 */
export class Link implements TransportHandler, FrameSink, HeartbeatOptions {
  readonly #transport: Transport;
  readonly #decoder: FrameDecoder;
  readonly #queue: SendQueue;
  readonly #heartbeat: Heartbeat;
  readonly #inLimit: RateLimit | undefined;
  /** What cancels the timers of rate limits; made when there is one. */
  #timers: Set<() => void> | undefined;
  readonly #onGone: LinkOptions["onGone"];
  readonly clock: Clock;
  readonly intervalMs: number;
  /** Made when somebody asks for it. */
  #closed: PromiseWithResolvers<void> | undefined;
  #isClosed = false;
  /** The handler knows that the peer is gone. */
  #isTold = false;
  /** Why the transport is paused, as bits of Hold. */
  #holds = 0;
  /** What has come and was not decoded yet, in order; there while it is. */
  #backlog: Uint8Array[] | undefined;
  #isTurnDue = false;
  readonly #backlogs: Backlogs;
  #onBacklogDone: (() => void) | undefined;
  handler: LinkHandler;
  /** Bytes on the wire, headers included. */
  bytesIn = 0;

  constructor(transport: Transport, options: LinkOptions) {
    this.#transport = transport;
    this.handler = options.handler;
    this.#onGone = options.onGone;
    this.clock = options.clock;
    this.#backlogs = options.backlogs ?? new Backlogs(options.clock);
    this.intervalMs = options.heartbeatMs;
    this.#decoder = new FrameDecoder(this);
    const { clock, rateLimit } = options;
    this.#queue = new SendQueue(transport, rateLimit?.out && { limit: rateLimit.out, clock });
    this.#queue.countsAccepts = options.countsAccepts ?? false;
    this.#inLimit = rateLimit?.in;
    this.#heartbeat = new Heartbeat(this);
  }

  /** Bytes on the wire, headers included. */
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
    if (this.#isClosed) return Promise.resolve();
    this.#closed ??= Promise.withResolvers<void>();
    return this.#closed.promise;
  }

  /** True while control frames pile up because the peer does not read. */
  get congested(): boolean {
    return this.#queue.controlBytes > CONGESTED_BYTES;
  }

  /** True while control frames wait for the transport. */
  get hasUnsent(): boolean {
    return this.#queue.controlBytes > 0;
  }

  /** Begin to deliver frames to the handler. */
  start(): void {
    this.#transport.start(this);
  }

  /** Begin to ask for signs of life, and to answer such questions. */
  startHeartbeat(): void {
    this.#heartbeat.start();
  }

  /** The peer is admitted: it may send control frames of full size. */
  liftLimits(): void {
    this.#decoder.maxControlBytes = MAX_CONTROL_BYTES;
  }

  /** Queue a control frame; the payload is copied. `onSent` is called when it has left, and not when it never does. */
  send(opcode: Opcode, streamId: number, payload: Uint8Array, flags = 0, onSent?: () => void): void {
    this.#queue.pushControl(encodeFrame(opcode, streamId, payload, flags), onSent);
    this.#holdIfUnread();
  }

  /** A stream is over while answers on it may still wait. */
  disownStream(streamId: number): void {
    this.#queue.disown(streamId);
    this.#holdIfUnread();
  }

  /**
   * Who makes us answer without end and does not read the answers is not read from either, from the next frame on. What is
   * bounded by the number of streams counts at one side only, the server: else two honest peers could both stop reading,
   * each waiting for the other.
   */
  #holdIfUnread(): void {
    if (this.#queue.causedBytes <= CONGESTED_BYTES || (this.#holds & Hold.unread) !== 0) return;
    // Nor is a peer that is gone heard to its end, when it makes so much of it.
    if (this.#onBacklogDone !== undefined) return this.#onBacklogDone();
    this.#hold(Hold.unread);
    this.#decoder.pause();
    this.#queue.onControlSent = () => {
      this.#queue.onControlSent = undefined;
      this.#release(Hold.unread);
      this.#goOnLater();
    };
  }

  /** Grant the peer credit on a stream, later when it sends faster than it may. */
  sendCredit(streamId: number, bytes: number): void {
    const payload = new Uint8Array(4);
    writeUint32(payload, 0, bytes);
    const grant = () => this.send(Opcode.CREDIT, streamId, payload);
    const ms = this.#inLimit?.waitMs() ?? 0;
    if (ms === 0) grant();
    else this.#after(ms, grant);
  }

  /** As Clock.after(), while this link lives. */
  #after(ms: number, action: () => void): void {
    const cancel = this.clock.after(ms, () => {
      this.#timers?.delete(cancel);
      action();
    });
    this.#timers ??= new Set();
    this.#timers.add(cancel);
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

  /** Send a last frame with the reason, then end in order. What the peer still sends is thrown away. */
  closeWith(opcode: typeof Opcode.REFUSE | typeof Opcode.GOAWAY, code: ReasonCode, message: string): void {
    this.send(opcode, 0, encodeReason(code, message));
    this.close();
  }

  /** Send what is queued, then end in order; `lingerMs` as Transport.close(). */
  close(lingerMs?: number): void {
    this.#decoder.stop();
    this.#heartbeat.stop();
    this.#queue.close(lingerMs);
  }

  /** End at once. */
  abort(): void {
    this.#decoder.stop();
    this.#heartbeat.stop();
    this.#transport.abort();
  }

  sendPing(nonce: Uint8Array): void {
    this.send(Opcode.PING, 0, nonce);
  }

  onDead(error: CommError): void {
    this.#fault(error);
  }

  onInterval(): void {
    this.handler.onInterval?.();
  }

  onDrain(): void {
    this.#queue.drained();
  }

  onData(streamId: number, piece: Uint8Array): void {
    this.#charge(piece.length);
    this.handler.onData(streamId, piece);
  }

  /** DATA counts when it comes. Credit alone does not hold back who sends it on ever new streams. */
  #charge(bytes: number): void {
    if (this.#inLimit === undefined) return;
    this.#inLimit.spend(bytes);
    const ms = this.#inLimit.waitMs();
    if (ms <= MAX_DEBT_MS || (this.#holds & Hold.rate) !== 0) return;
    this.#hold(Hold.rate);
    this.#after(ms - MAX_DEBT_MS, () => this.#release(Hold.rate));
  }

  onBytes(bytes: Uint8Array): void {
    this.bytesIn += bytes.length;
    // Paused, and it comes all the same: the end is behind it, and what nobody will hear is not kept until then.
    if ((this.#holds & Hold.unread) !== 0) {
      this.#decoder.stop();
      return discard(bytes);
    }
    this.#heartbeat.noteReceived();
    hold(bytes);
    if (this.#backlog !== undefined) this.#backlog.push(bytes);
    else if (!this.#decode(bytes)) {
      this.#hold(Hold.backlog);
      this.#goOnLater();
    }
  }

  /** @returns false when there is more than one turn's worth: the rest is the backlog now */
  #decode(bytes: Uint8Array): boolean {
    try {
      const taken = this.#decoder.push(bytes, WORK_PER_TURN);
      if (taken === bytes.length) {
        letGo(bytes);
        return true;
      }
      this.#backlog ??= [];
      this.#backlog.unshift(bytes.subarray(taken));
      return false;
    } catch (error) {
      // Anything but a ProtocolError is a defect of ours; it too ends this link alone.
      this.#fault(toCommError(error));
      return true;
    }
  }

  /** Who sends frames without end does not keep the others from their turn. */
  #goOnLater(): void {
    if (this.#isTurnDue || this.#backlog === undefined) return;
    this.#isTurnDue = true;
    this.#backlogs.add(() => {
      this.#isTurnDue = false;
      // Nor from what has come already.
      if ((this.#holds & Hold.unread) !== 0) return;
      const next = this.#backlog?.shift();
      if (next !== undefined) this.#decode(next);
      if (this.#backlog !== undefined && this.#backlog.length > 0) return this.#goOnLater();
      this.#backlog = undefined;
      this.#release(Hold.backlog);
      this.#onBacklogDone?.();
    });
  }

  /** Read no more for this reason; undone by #release(), and when there is no other reason either. */
  #hold(reason: Hold): void {
    // Read to its end at once, what many peers that are gone had sent would be in memory together.
    const isBrief = reason === Hold.backlog;
    if (this.#holds === 0 || !isBrief) this.#transport.pause(isBrief);
    this.#holds |= reason;
  }

  #release(reason: Hold): void {
    if ((this.#holds & reason) === 0) return;
    this.#holds &= ~reason;
    if (this.#holds === 0) this.#transport.resume();
  }

  onFrame(header: Header, payload: Uint8Array): void {
    if (header.opcode === Opcode.PING && this.#heartbeat.started) {
      this.send(Opcode.PONG, 0, payload);
    } else if (header.opcode === Opcode.PONG && this.#heartbeat.started) {
      this.#heartbeat.notePong(payload);
    } else {
      this.handler.onFrame(header, payload);
    }
  }

  #fault(error: CommError): void {
    if (this.#isClosed) return;
    this.#decoder.stop();
    this.handler.onFault(error);
  }

  onPeerEnd(): void {
    this.#whenHeard(() => {
      this.#dropBacklog();
      this.close();
      this.#tellClosed(undefined);
    });
  }

  onClosed(error: Error | undefined): void {
    if (error === undefined) this.#whenHeard(() => this.#end(undefined));
    else this.#end(error);
  }

  /** What came before an orderly end is told before it, but not to who waits for answers to be read. */
  #whenHeard(end: () => void): void {
    const isHeard = !this.#decoder.isStopped && (this.#holds & Hold.unread) === 0;
    if (this.#backlog !== undefined && isHeard) this.#onBacklogDone = end;
    else end();
  }

  #dropBacklog(): void {
    for (const bytes of this.#backlog ?? []) letGo(bytes);
    this.#backlog = undefined;
  }

  #end(error: Error | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#dropBacklog();
    this.#onBacklogDone = undefined;
    this.#decoder.stop();
    this.#heartbeat.stop();
    this.#queue.abandon();
    for (const cancel of this.#timers ?? []) cancel();
    this.#closed?.resolve();
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
