import { CommError } from "../errors.ts";
import { Opcode } from "../protocol/opcode.ts";
import { SendCredit } from "./credit.ts";
import type { FrameSource, StreamFrame } from "./send-queue.ts";
import type { FileBytes } from "./transport.ts";

/** Largest DATA payload that is sent: small enough that streams take turns every fraction of a millisecond. */
// A block with its header fills exactly four of them.
const SEND_FRAME_BYTES = 256 * 1024 + 64;

/** A body's view of its stream and session. Streams are many, so they get no closures of their own. */
export interface BodySenderPort {
  /** There is something to send: call takeFrame() when the turn comes. */
  addSource(source: FrameSource): void;
  /** The body of that stream has ended, and its last frame was sent. Called once, never after fail(). */
  onBodySent(streamId: number): void;
}

/** Bytes of an open file to be sent; each frame of them holds it open by itself. */
export interface FileSource {
  readonly fd: number;
  readonly offset: number;
  readonly length: number;
  /** Keep the descriptor open. @returns a function that releases it */
  retain(): () => void;
}

interface PendingWrite {
  readonly opcode: typeof Opcode.DATA | typeof Opcode.END;
  readonly bytes: Uint8Array | FileSource;
  readonly resolve: () => void;
  readonly reject: (error: CommError) => void;
}

/** The body of a stream in our direction: cuts the written bytes into frames, as far as the credit allows. */
export class BodySender implements FrameSource {
  readonly #streamId: number;
  readonly #port: BodySenderPort;
  readonly #credit: SendCredit;
  readonly #writes: PendingWrite[] = [];
  /** Bytes of the first pending write that were taken already. */
  #offset = 0;
  /** END was queued, or is not needed. */
  #ending = false;
  #ended = false;
  #failure: CommError | undefined;
  /** Frames handed over to be sent. */
  frames = 0;
  /** Frames that the transport has not released yet. */
  #inFlight = 0;
  /** Bytes that were sent. */
  sent = 0;
  /** The write to which some of a failed body's bytes belong. */
  #halfSent: PendingWrite | undefined;

  /** `credit`: bytes that may be sent before the first CREDIT. */
  constructor(streamId: number, credit: number, port: BodySenderPort) {
    this.#streamId = streamId;
    this.#port = port;
    this.#credit = new SendCredit(credit);
  }

  /** True while something waits for the peer to take it. */
  get isWaiting(): boolean {
    return this.#writes.length > 0 || this.#inFlight > 0;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Queue bytes, or with END the trailer; resolves when they were sent. @throws the error given to fail() */
  enqueue(opcode: PendingWrite["opcode"], bytes: PendingWrite["bytes"]): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#ending) {
      return Promise.reject(new CommError("UNEXPECTED", `The body of stream ${this.#streamId} has ended.`));
    }
    this.#ending = opcode === Opcode.END;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#writes.push({ opcode, bytes, resolve, reject });
    this.#port.addSource(this);
    return promise;
  }

  /** No body in this direction, as a frame's flag says. Call the result when that frame was sent. */
  endWithoutBody(): () => void {
    this.#ending = true;
    return () => this.#end();
  }

  /** @throws ProtocolError CREDIT_EXCEEDED */
  grant(bytes: number): void {
    this.#credit.grant(bytes);
    if (this.#writes.length > 0) this.#port.addSource(this);
  }

  takeFrame(maxBytes = SEND_FRAME_BYTES): StreamFrame | undefined {
    const write = this.#writes[0];
    if (write === undefined) return undefined;
    const streamId = this.#streamId;
    this.frames++;
    if (write.opcode === Opcode.END) {
      this.#writes.shift();
      const onSent = () => {
        // Not earlier: the session may close with its last stream.
        this.#end();
        write.resolve();
      };
      return { opcode: Opcode.END, streamId, payload: write.bytes as Uint8Array, onSent };
    }
    const start = this.#offset;
    const length = this.#credit.consume(Math.min(write.bytes.length - start, SEND_FRAME_BYTES, maxBytes));
    if (length === 0) {
      this.frames--;
      return undefined; // grant() brings it back into the round
    }
    const payload = partOf(write.bytes, start, length);
    const whole = start + length === write.bytes.length;
    this.#offset = whole ? 0 : start + length;
    if (whole) this.#writes.shift();
    this.#inFlight++;
    const onSent = () => {
      this.#inFlight--;
      this.sent += length;
      if (whole) write.resolve();
      if (this.#failure !== undefined && this.#inFlight === 0) this.#halfSent?.reject(this.#failure);
    };
    return { opcode: Opcode.DATA, streamId, payload, onSent };
  }

  /**
   * Nothing more can be sent, for this reason. Writes are rejected, as they are resolved, only when their buffers are
   * free.
   */
  fail(error: CommError): void {
    this.#failure = error;
    const isHalfSent = this.#inFlight > 0 && this.#offset > 0;
    if (isHalfSent) this.#halfSent = this.#writes.shift();
    for (const write of this.#writes.splice(0)) write.reject(error);
  }

  #end(): void {
    if (this.#ended || this.#failure !== undefined) return;
    this.#ended = true;
    this.#port.onBodySent(this.#streamId);
  }
}

function partOf(bytes: PendingWrite["bytes"], start: number, length: number): Uint8Array | FileBytes {
  if (bytes instanceof Uint8Array) return bytes.subarray(start, start + length);
  return { fd: bytes.fd, offset: bytes.offset + start, length, release: bytes.retain() };
}
