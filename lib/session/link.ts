import { type CommError, TransportError, toCommError } from "../errors.ts";
import { MAX_CONTROL_BYTES } from "../protocol/constants.ts";
import { FrameDecoder, type FrameSink } from "../protocol/frame-decoder.ts";
import { encodeFrame, type Header, writeUint32 } from "../protocol/header.ts";
import { encodeReason, type ReasonCode } from "../protocol/messages.ts";
import { Opcode } from "../protocol/opcode.ts";
import type { Clock } from "./clock.ts";
import { Heartbeat, type HeartbeatOptions } from "./heartbeat.ts";
import type { Pace } from "./pace.ts";
import { type FrameSource, SendQueue } from "./send-queue.ts";
import type { Transport, TransportHandler } from "./transport.ts";

/** Control frames waiting above this say that the peer does not read. */
const CONGESTED_BYTES = 256 * 1024;

/** Who takes the frames of a link: the handshake first, then the session. */
export interface LinkHandler {
  onFrame(header: Header, payload: Uint8Array): void;
  onData(streamId: number, piece: Uint8Array): void;
  /** The peer broke the protocol or fell silent, and nothing more is decoded: say why and close. */
  onFault(error: CommError): void;
  /** The end, once. `error` is set when the transport was lost. */
  onClosed(error: TransportError | undefined): void;
}

export interface LinkOptions {
  readonly clock: Clock;
  readonly handler: LinkHandler;
  /** How often to look whether the peer is alive: the interval of Heartbeat. */
  readonly heartbeatMs: number;
  /** How fast DATA may go out, and come in; absent: as fast as it goes. */
  readonly pace?: { readonly out: Pace | undefined; readonly in: Pace | undefined };
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
  readonly #inPace: Pace | undefined;
  /** What cancels the grants that wait for their time; made when there is one. */
  #heldCredit: Set<() => void> | undefined;
  readonly #onGone: LinkOptions["onGone"];
  readonly clock: Clock;
  readonly intervalMs: number;
  /** Made when somebody asks for it. */
  #closed: PromiseWithResolvers<void> | undefined;
  #isClosed = false;
  #paused = false;
  handler: LinkHandler;
  /** Bytes on the wire, headers included. */
  bytesIn = 0;

  constructor(transport: Transport, options: LinkOptions) {
    this.#transport = transport;
    this.handler = options.handler;
    this.#onGone = options.onGone;
    this.clock = options.clock;
    this.intervalMs = options.heartbeatMs;
    this.#decoder = new FrameDecoder(this);
    const { clock, pace } = options;
    this.#queue = new SendQueue(transport, pace?.out && { pace: pace.out, clock });
    this.#inPace = pace?.in;
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
    // Who makes us answer without end and does not read the answers is not read from either. What is bounded by
    // the number of streams does not count: else two honest peers could both stop reading, each waiting for the other.
    if (this.#queue.unboundedBytes > CONGESTED_BYTES && !this.#paused) {
      this.#paused = true;
      this.#queue.onControlSent = () => this.#relieve();
      this.#transport.pause();
    }
  }

  /** Grant the peer credit on a stream, later when it sends faster than it may. */
  sendCredit(streamId: number, bytes: number): void {
    const payload = new Uint8Array(4);
    writeUint32(payload, 0, bytes);
    this.#inPace?.spend(bytes);
    const ms = this.#inPace?.waitMs() ?? 0;
    if (ms === 0) return this.send(Opcode.CREDIT, streamId, payload);
    const cancel = this.clock.after(ms, () => {
      this.#heldCredit?.delete(cancel);
      this.send(Opcode.CREDIT, streamId, payload);
    });
    this.#heldCredit ??= new Set();
    this.#heldCredit.add(cancel);
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

  onDrain(): void {
    this.#queue.drained();
  }

  onData(streamId: number, piece: Uint8Array): void {
    this.handler.onData(streamId, piece);
  }

  onBytes(bytes: Uint8Array): void {
    this.bytesIn += bytes.length;
    this.#heartbeat.noteReceived();
    try {
      this.#decoder.push(bytes);
    } catch (error) {
      // Anything but a ProtocolError is a defect of ours; it too ends this link alone.
      this.#fault(toCommError(error));
    }
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

  onClosed(error: Error | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#decoder.stop();
    this.#heartbeat.stop();
    this.#queue.abandon();
    for (const cancel of this.#heldCredit ?? []) cancel();
    this.#closed?.resolve();
    this.#onGone?.(this);
    if (error === undefined || error instanceof TransportError) this.handler.onClosed(error);
    else this.handler.onClosed(new TransportError("LOST", `The link was lost: ${error.message}.`, { cause: error }));
  }

  #relieve(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#queue.onControlSent = undefined;
    this.#transport.resume();
  }
}
