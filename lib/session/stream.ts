import { CommError, type ErrorCode, ProtocolError, StreamError } from "../errors.ts";
import { writeUint32 } from "../protocol/header.ts";
import { encodeJson } from "../protocol/json.ts";
import { encodeReason } from "../protocol/messages.ts";
import { Flag, Opcode } from "../protocol/opcode.ts";
import { ReceiveWindow, SendCredit } from "./credit.ts";
import { ReceiveQueue } from "./receive-queue.ts";
import type { FrameSource, StreamFrame } from "./send-queue.ts";

/** Largest DATA payload that is sent: small enough that streams take turns every fraction of a millisecond. */
const SEND_FRAME_BYTES = 256 * 1024;

const EMPTY = new Uint8Array(0);

type Json = Record<string, unknown>;

/** What a stream sees of its session. */
export interface StreamPort {
  send(opcode: Opcode, streamId: number, payload: Uint8Array, flags?: number): void;
  addSource(source: FrameSource): void;
  removeSource(source: FrameSource): void;
  /** The stream has ended both ways, or was reset. */
  onStreamClosed(stream: Stream): void;
}

export interface StreamOptions {
  readonly id: number;
  readonly port: StreamPort;
  /** Bytes that may be sent before the first CREDIT. */
  readonly sendCredit: number;
  /** Bytes that the peer may have sent and not yet seen consumed. */
  readonly receiveWindow: number;
  /** True on the side that sent OPEN. */
  readonly opener: boolean;
}

interface PendingWrite {
  readonly opcode: typeof Opcode.DATA | typeof Opcode.END;
  readonly bytes: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (error: CommError) => void;
}

/**
 * One request or push, with a body in either direction. The session calls the `on…` methods for what
 * arrives; the user calls the others. States: PROTOCOL.md, "Streams".
 */
export class Stream implements FrameSource {
  readonly id: number;
  readonly #port: StreamPort;
  readonly #opener: boolean;
  readonly #credit: SendCredit;
  readonly #window: ReceiveWindow;
  readonly #received = new ReceiveQueue();
  readonly #writes: PendingWrite[] = [];
  /** Bytes of the first pending write that were taken already. */
  #writeOffset = 0;
  readonly #accepted = Promise.withResolvers<Json>();
  #isAccepted = false;
  /** No more can be written. */
  #ending = false;
  #localEnded = false;
  #remoteEnded = false;
  #failure: CommError | undefined;
  #trailer: Json = {};
  #wakeReader: (() => void) | undefined;
  /** Length of the piece that the reader holds. */
  #held = 0;
  readonly #closed = Promise.withResolvers<void>();

  constructor(options: StreamOptions) {
    this.id = options.id;
    this.#port = options.port;
    this.#opener = options.opener;
    this.#credit = new SendCredit(options.sendCredit);
    this.#window = new ReceiveWindow(options.receiveWindow);
    // Whoever does not wait for the answer need not hear of its failure either.
    this.#accepted.promise.catch(() => {});
  }

  /** The result in the peer's ACCEPT. @throws RemoteError after RESET, TransportError after the end of the link */
  get accepted(): Promise<Json> {
    return this.#accepted.promise;
  }

  /** Settles when the stream has ended both ways, was reset, or the session is gone. Never rejects. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Members of the peer's END; complete when the body was read to its end. */
  get trailer(): Json {
    return this.#trailer;
  }

  /** Answer the peer's OPEN. With `end` there is no body in this direction. */
  accept(result: Json, options: { end?: boolean } = {}): void {
    this.#throwIfFailed();
    this.#isAccepted = true;
    this.#port.send(Opcode.ACCEPT, this.id, encodeJson(result), options.end ? Flag.END : 0);
    if (options.end) this.#endLocal();
  }

  /** Note that OPEN said that no body follows. */
  endWithOpen(): void {
    this.#endLocal();
  }

  /**
   * Send the next bytes of the body; resolves when they have left and the buffer is free again. A slow peer
   * holds this back by its credit.
   *
   * @throws RemoteError after the peer's RESET, StreamError after reset(), TransportError when the link is gone
   */
  write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return Promise.resolve();
    return this.#enqueue(Opcode.DATA, bytes);
  }

  /** End the body in this direction, behind all that was written. @throws as write() */
  end(trailer?: Json): Promise<void> {
    return this.#enqueue(Opcode.END, trailer === undefined ? EMPTY : encodeJson(trailer));
  }

  /** Abort the stream both ways, now; `error` is what its user here gets. No effect when it has ended. */
  reset(code: ErrorCode, message: string, error: CommError = new StreamError(code, message)): void {
    if (this.isClosed) return;
    this.#port.send(Opcode.RESET, this.id, encodeReason(code, message));
    this.fail(error);
  }

  /**
   * The next bytes of the peer's body, undefined at its end. Asking again says that the piece before has
   * reached its sink: only then the peer is granted new credit. One reader at a time.
   *
   * @throws as write()
   */
  async read(): Promise<Uint8Array | undefined> {
    this.#grant();
    for (;;) {
      this.#throwIfFailed();
      const piece = this.#received.shift();
      if (piece !== undefined) {
        this.#held = piece.length;
        return piece;
      }
      if (this.#remoteEnded) return undefined;
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
  }

  /** The peer's body, piece by piece as read(). Leaving the loop early cancels the stream. */
  async *body(): AsyncGenerator<Uint8Array, void> {
    let ended = false;
    try {
      for (let piece = await this.read(); piece !== undefined; piece = await this.read()) yield piece;
      ended = true;
    } finally {
      if (!ended) this.reset("CANCELLED", "The receiver wants no more.");
    }
  }

  takeFrame(): StreamFrame | undefined {
    const write = this.#writes[0];
    if (write === undefined) return undefined;
    if (write.opcode === Opcode.END) {
      this.#writes.shift();
      const onSent = () => {
        // Not before: the session may close with its last stream.
        this.#endLocal();
        write.resolve();
      };
      return { opcode: Opcode.END, streamId: this.id, payload: write.bytes, onSent };
    }
    const start = this.#writeOffset;
    const length = this.#credit.consume(Math.min(write.bytes.length - start, SEND_FRAME_BYTES));
    if (length === 0) return undefined; // CREDIT brings it back into the round
    const payload = write.bytes.subarray(start, start + length);
    const whole = start + length === write.bytes.length;
    this.#writeOffset = whole ? 0 : start + length;
    if (whole) this.#writes.shift();
    return { opcode: Opcode.DATA, streamId: this.id, payload, onSent: whole ? write.resolve : undefined };
  }

  /** @throws ProtocolError UNEXPECTED_FRAME */
  onAccept(result: Json, end: boolean): void {
    if (!this.#opener || this.#isAccepted) {
      throw new ProtocolError("UNEXPECTED_FRAME", `An ACCEPT comes unasked on stream ${this.id}.`);
    }
    this.#isAccepted = true;
    this.#accepted.resolve(result);
    if (end) this.#endRemote();
  }

  /** @throws ProtocolError UNEXPECTED_FRAME, CREDIT_EXCEEDED */
  onData(piece: Uint8Array): void {
    this.#checkBodyOpen("DATA");
    this.#window.receive(piece.length);
    this.#received.push(piece);
    this.#wake();
  }

  /** @throws ProtocolError UNEXPECTED_FRAME */
  onEnd(trailer: Json): void {
    this.#checkBodyOpen("END");
    this.#trailer = trailer;
    this.#endRemote();
  }

  /** @throws ProtocolError CREDIT_EXCEEDED */
  onCredit(bytes: number): void {
    this.#credit.grant(bytes);
    if (this.#writes.length > 0) this.#port.addSource(this);
  }

  /** OPEN said that no body follows. */
  onOpenEnd(): void {
    this.#endRemote();
  }

  /** End the stream with an error, without a word to the peer. */
  fail(error: CommError): void {
    if (this.isClosed) return;
    this.#failure = error;
    this.#received.clear();
    for (const write of this.#writes.splice(0)) write.reject(error);
    this.#accepted.reject(error);
    this.#wake();
    this.#close();
  }

  #enqueue(opcode: PendingWrite["opcode"], bytes: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#ending) return Promise.reject(new CommError("UNEXPECTED", `Stream ${this.id} has ended.`));
    this.#ending = opcode === Opcode.END;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#writes.push({ opcode, bytes, resolve, reject });
    this.#port.addSource(this);
    return promise;
  }

  #grant(): void {
    const bytes = this.#window.consume(this.#held);
    this.#held = 0;
    if (bytes === 0 || this.#remoteEnded || this.isClosed) return;
    const payload = new Uint8Array(4);
    writeUint32(payload, 0, bytes);
    this.#port.send(Opcode.CREDIT, this.id, payload);
  }

  #checkBodyOpen(what: string): void {
    if (this.#opener && !this.#isAccepted) {
      throw new ProtocolError("UNEXPECTED_FRAME", `${what} comes before ACCEPT on stream ${this.id}.`);
    }
    if (this.#remoteEnded) {
      throw new ProtocolError("UNEXPECTED_FRAME", `${what} comes after the end of the body of stream ${this.id}.`);
    }
  }

  #endLocal(): void {
    this.#ending = true;
    this.#localEnded = true;
    if (this.#remoteEnded) this.#close();
  }

  #endRemote(): void {
    this.#remoteEnded = true;
    this.#wake();
    if (this.#localEnded) this.#close();
  }

  get isClosed(): boolean {
    return this.#failure !== undefined || (this.#localEnded && this.#remoteEnded);
  }

  #close(): void {
    this.#port.removeSource(this);
    this.#port.onStreamClosed(this);
    this.#closed.resolve();
  }

  #wake(): void {
    this.#wakeReader?.();
    this.#wakeReader = undefined;
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}
