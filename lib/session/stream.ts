import { CommError, type ErrorCode, ProtocolError, StreamError } from "../errors.ts";
import { MAX_CONTROL_BYTES } from "../protocol/constants.ts";
import { encodeJson } from "../protocol/json.ts";
import { encodeReason } from "../protocol/messages.ts";
import { Flag, Opcode } from "../protocol/opcode.ts";
import { BodyReceiver, type BodyReceiverPort } from "./body-receiver.ts";
import { BodySender, type BodySenderPort, type FileSource } from "./body-sender.ts";
import { discard } from "./held-buffers.ts";
import type { FrameSource } from "./send-queue.ts";

const EMPTY = new Uint8Array(0);

type Json = Record<string, unknown>;

/** What a stream sees of its session: one object for all its streams. */
export interface StreamPort extends BodySenderPort, BodyReceiverPort {
  /** The payload is copied. */
  send(opcode: Opcode, streamId: number, payload: Uint8Array, flags?: number, onSent?: () => void): void;
  /** The stream is over, though answers on it may still wait. */
  disown(streamId: number): void;
  removeSource(source: FrameSource): void;
  canSendFiles(): boolean;
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

/**
 * One request or push, with a body in either direction. The session calls the `on…` methods for what
 * arrives; the user calls the others. States: PROTOCOL.md, "Streams".
 */
export class Stream {
  readonly id: number;
  readonly #port: StreamPort;
  readonly #opener: boolean;
  readonly #sender: BodySender;
  readonly #receiver: BodyReceiver;
  /** Of the opener. */
  readonly #accepted: PromiseWithResolvers<Json> | undefined;
  /** Made when somebody asks for it. */
  #closed: PromiseWithResolvers<void> | undefined;
  #isAccepted = false;
  #aborter: AbortController | undefined;
  #failure: CommError | undefined;
  #trailer: Json = {};
  /** Frames of the peer. */
  #heard = 0;
  /** Those of them that said no more than that it works. */
  workings = 0;
  /** What had been sent when sayWorking() was called last; undefined: it never was. */
  #saidBefore: number | undefined;

  constructor(options: StreamOptions) {
    const { id, port } = options;
    this.id = id;
    this.#port = port;
    this.#opener = options.opener;
    this.#sender = new BodySender(id, options.sendCredit, port);
    // Who asked for it wants what has come of it; who was asked does nothing for somebody that is gone.
    this.#receiver = new BodyReceiver(id, options.receiveWindow, this.#opener, port);
    if (!this.#opener) return;
    this.#accepted = Promise.withResolvers();
    // Whoever does not wait for the answer need not hear of its failure either.
    this.#accepted.promise.catch(() => {});
  }

  /** The result in the peer's ACCEPT. @throws RemoteError after RESET, TransportError after the end of the link */
  get accepted(): Promise<Json> {
    if (this.#accepted !== undefined) return this.#accepted.promise;
    return Promise.reject(new CommError("UNEXPECTED", `Stream ${this.id} is the peer's: it accepts nothing of ours.`));
  }

  /** Settles when the stream has ended both ways, was reset, or the session is gone. Never rejects. */
  get closed(): Promise<void> {
    if (this.isClosed) return Promise.resolve();
    this.#closed ??= Promise.withResolvers();
    return this.#closed.promise;
  }

  /** Aborted when `closed` settles: for work that only this stream wants. Made when it is asked for. */
  get signal(): AbortSignal {
    if (this.#aborter === undefined) {
      this.#aborter = new AbortController();
      if (this.isClosed) this.#aborter.abort();
    }
    return this.#aborter.signal;
  }

  get isClosed(): boolean {
    return this.#failure !== undefined || (this.#sender.ended && this.#receiver.ended);
  }

  /** True while bytes of the peer may still come. */
  get hasPeerBody(): boolean {
    return !this.#receiver.ended;
  }

  /** Grows with each frame that comes or goes on this stream. */
  get movement(): number {
    return this.#heard + this.#sender.frames;
  }

  /** True while somebody here waits for the peer: for its answer, or for more of its body. */
  get isAwaited(): boolean {
    return this.isUnanswered || this.#receiver.isAwaited;
  }

  /** True while something that was written waits for the peer, or the way to it, to take it. */
  get isSending(): boolean {
    return this.#sender.isWaiting;
  }

  /** True while the peer has neither accepted nor refused it. */
  get isUnanswered(): boolean {
    return this.#opener && !this.#isAccepted;
  }

  /** Bytes of both bodies that have moved so far. */
  get moved(): number {
    return this.#sender.sent + this.#receiver.received;
  }

  /** True while nothing is done on it here until the peer takes what it is sent, or sends more. */
  get isWaiting(): boolean {
    return this.#sender.isWaiting || this.#receiver.isWaiting;
  }

  /** Members of the peer's END; complete when the body was read to its end. */
  get trailer(): Json {
    return this.#trailer;
  }

  /**
   * Answer the peer's OPEN. With `end` there is no body in this direction.
   *
   * @throws StreamError INTERNAL when the result is too large for a frame; what ended the stream, if so
   */
  accept(result: Json, options: { end?: boolean } = {}): void {
    if (this.#failure !== undefined) throw this.#failure;
    const payload = encodeControl(result);
    this.#isAccepted = true;
    if (options.end) this.#port.send(Opcode.ACCEPT, this.id, payload, Flag.END, this.#sender.endWithoutBody());
    else this.#port.send(Opcode.ACCEPT, this.id, payload);
    discard(payload);
  }

  /** Tell the opener that its request is not forgotten, unless something was sent since this was called last. */
  sayWorking(): void {
    if (this.isClosed) return;
    const said = this.#sender.frames + (this.#isAccepted ? 1 : 0);
    if (said === this.#saidBefore) this.#port.send(Opcode.WORKING, this.id, EMPTY);
    this.#saidBefore = said;
  }

  /** Note that OPEN said that no body follows. */
  endWithOpen(): void {
    this.#sender.endWithoutBody()();
  }

  /**
   * Send the next bytes of the body; resolves when they have left and the buffer is free again, which it is as well when
   * this rejects. A slow peer holds this back by its credit.
   *
   * @throws RemoteError after the peer's RESET, StreamError after reset(), TransportError when the link is gone
   */
  write(bytes: Uint8Array): Promise<void> {
    return bytes.length === 0 ? Promise.resolve() : this.#enqueue(Opcode.DATA, bytes);
  }

  /** True when writeFile() can be used. */
  get canSendFiles(): boolean {
    return this.#port.canSendFiles();
  }

  /** As write(), for bytes of an open file that do not pass through this process. @throws as write() */
  writeFile(source: FileSource): Promise<void> {
    return this.#enqueue(Opcode.DATA, source);
  }

  /** End the body in this direction, behind all that was written. @throws as write() */
  async end(trailer?: Json): Promise<void> {
    await this.#enqueue(Opcode.END, trailer === undefined ? EMPTY : encodeControl(trailer));
  }

  /** As reset(), with further members of the reason (PROTOCOL.md, "Payloads"). */
  refuse(code: ErrorCode, message: string, members: { readonly retryAfterMs: number }): void {
    if (this.isClosed) return;
    this.#port.send(Opcode.RESET, this.id, encodeReason(code, message, members));
    this.fail(new StreamError(code, message));
  }

  /** Abort the stream both ways, now; `error` is what its user here gets. No effect when it has ended. */
  reset(code: ErrorCode, message: string, error: CommError = new StreamError(code, message)): void {
    if (this.isClosed) return;
    this.#port.send(Opcode.RESET, this.id, encodeReason(code, message));
    this.fail(error);
  }

  /** The next bytes of the peer's body, as BodyReceiver.read(): gone when the next are asked for. @throws as write() */
  read(): Promise<Uint8Array | undefined> {
    return this.#receiver.read();
  }

  /**
   * Let the peer have `window` bytes under way from now on, more than the first credit of the session: its turn has come.
   * A smaller window than it has changes nothing.
   */
  widen(window: number): void {
    this.#receiver.widen(window);
  }

  /**
   * What arrives is to be read also when the link is lost afterwards: it is as good as ever, and need not be sent again.
   * The opener has it so from the beginning; for its peer it means that work goes on for a session that is gone, so call
   * it only when that work has begun and is short.
   */
  keepArrived(): void {
    this.#receiver.keepArrived();
  }

  /** The peer's body, piece by piece as read(). */
  async *pieces(): AsyncGenerator<Uint8Array, void> {
    for (let piece = await this.read(); piece !== undefined; piece = await this.read()) yield piece;
  }

  /** As pieces(), but leaving the loop early cancels the stream. */
  async *body(): AsyncGenerator<Uint8Array, void> {
    let ended = false;
    try {
      yield* this.pieces();
      ended = true;
    } finally {
      if (!ended) this.reset("CANCELLED", "The receiver wants no more.");
    }
  }

  /** @throws ProtocolError UNEXPECTED_FRAME */
  onAccept(result: Json, end: boolean): void {
    if (!this.#opener || this.#isAccepted) {
      throw new ProtocolError("UNEXPECTED_FRAME", `An ACCEPT comes unasked on stream ${this.id}.`);
    }
    this.#heard++;
    this.#isAccepted = true;
    this.#accepted?.resolve(result);
    if (end) this.#endReceiver();
  }

  /** @throws ProtocolError UNEXPECTED_FRAME, CREDIT_EXCEEDED */
  onData(piece: Uint8Array): void {
    this.#checkBodyOpen("DATA");
    this.#heard++;
    this.#receiver.push(piece);
  }

  /** @throws ProtocolError UNEXPECTED_FRAME */
  onEnd(trailer: Json): void {
    this.#checkBodyOpen("END");
    this.#trailer = trailer;
    this.#endReceiver();
  }

  /** @throws ProtocolError CREDIT_EXCEEDED */
  onCredit(bytes: number): void {
    // Credit that nobody waits for is no sign that the peer gets on.
    if (this.#sender.isWaiting) this.#heard++;
    this.#sender.grant(bytes);
  }

  /** The peer is at work on it. @throws ProtocolError UNEXPECTED_FRAME from who has opened it himself */
  onWorking(): void {
    if (!this.#opener) throw new ProtocolError("UNEXPECTED_FRAME", `WORKING comes on a stream of the sender's own.`);
    this.#heard++;
    this.workings++;
  }

  /** Our body has left to its end. */
  onBodySent(): void {
    this.#closeIfEnded();
  }

  /** OPEN said that no body follows. */
  onOpenEnd(): void {
    this.#endReceiver();
  }

  /**
   * End the stream with an error, without a word to the peer. `isLost`: the link is lost, and what had arrived by then can
   * still be read where keepArrived() was called.
   */
  fail(error: CommError, isLost = false): void {
    if (this.isClosed) return;
    this.#failure = error;
    this.#sender.fail(error);
    this.#receiver.fail(error, isLost);
    this.#accepted?.reject(error);
    this.#port.disown(this.id);
    this.#close();
  }

  #enqueue(opcode: typeof Opcode.DATA | typeof Opcode.END, bytes: Uint8Array | FileSource): Promise<void> {
    if (this.#opener || this.#isAccepted) return this.#sender.enqueue(opcode, bytes);
    return Promise.reject(new CommError("UNEXPECTED", `A body comes before accept() on stream ${this.id}.`));
  }

  #checkBodyOpen(what: string): void {
    if (this.#opener && !this.#isAccepted) {
      throw new ProtocolError("UNEXPECTED_FRAME", `${what} comes before ACCEPT on stream ${this.id}.`);
    }
    if (this.#receiver.ended) {
      throw new ProtocolError("UNEXPECTED_FRAME", `${what} comes after the end of the body of stream ${this.id}.`);
    }
  }

  #endReceiver(): void {
    this.#receiver.end();
    this.#closeIfEnded();
  }

  #closeIfEnded(): void {
    if (this.#sender.ended && this.#receiver.ended && this.#failure === undefined) this.#close();
  }

  #close(): void {
    this.#port.removeSource(this.#sender);
    this.#port.onStreamClosed(this);
    this.#closed?.resolve();
    this.#aborter?.abort();
  }
}

/** The payload of a request, result or trailer. @throws StreamError INTERNAL when no frame can hold it */
export function encodeControl(value: Json): Uint8Array {
  const payload = encodeJson(value);
  if (payload.length <= MAX_CONTROL_BYTES) return payload;
  throw new StreamError("INTERNAL", `A payload of ${payload.length} bytes does not fit a frame.`);
}
