import { CommError, ProtocolError } from "../errors.ts";
import { Opcode } from "../protocol/opcode.ts";
import { BodyReceiver } from "./body-receiver.ts";
import { BodySender } from "./body-sender.ts";
import { Closing } from "./closing.ts";
import type { Json } from "./control-payload.ts";
import { StreamActivity } from "./stream-activity.ts";
import type { StreamOptions, StreamPort } from "./stream-port.ts";

const EMPTY = new Uint8Array(0);

/**
 * The states of a stream: what the session does with it, and what its user can read. Stream adds what the user does.
 * The session calls the `on…` methods for what arrives, and fail() at its own end. PROTOCOL.md, "Streams", draws the
 * states; here they are four facts:
 *
 * - isAccepted: ACCEPT was sent or has arrived. Before it the responder has no body.
 * - sender.ended, receiver.ended: that direction has ended. With both the stream is closed.
 * - failure: RESET was sent or has arrived, or the session is gone. It is set once, and the stream is closed.
 *
 * A closed stream sends nothing, leaves its session (onStreamClosed(), once), and receives nothing more: the session
 * drops the frames that crossed with its end.
 */
export abstract class StreamCore {
  readonly id: number;
  protected readonly port: StreamPort;
  protected readonly opener: boolean;
  protected readonly sender: BodySender;
  protected readonly receiver: BodyReceiver;
  /** Of the opener. */
  readonly #accepted: PromiseWithResolvers<Json> | undefined;
  readonly #closing = new Closing();
  readonly #activity = new StreamActivity();
  protected isAccepted = false;
  protected failure: CommError | undefined;
  #trailer: Json = {};

  constructor(options: StreamOptions) {
    const { id, port } = options;
    this.id = id;
    this.port = port;
    this.opener = options.opener;
    this.sender = new BodySender(id, options.sendCredit, port);
    // The opener still wants the answer to its request. The responder does nothing for an opener that is gone.
    this.receiver = new BodyReceiver(id, options.receiveWindow, this.opener, port);
    if (!this.opener) return;
    this.#accepted = Promise.withResolvers();
    // If the user does not wait for the answer, its failure must not count as unhandled.
    this.#accepted.promise.catch(() => {});
  }

  /** The result in the peer's ACCEPT. @throws RemoteError after RESET, TransportError after the end of the link */
  get accepted(): Promise<Json> {
    if (this.#accepted !== undefined) return this.#accepted.promise;
    return Promise.reject(new CommError("UNEXPECTED", `Stream ${this.id} is the peer's: it accepts nothing of ours.`));
  }

  /** Settles when the stream has ended both ways, was reset, or the session is gone. Never rejects. */
  get closed(): Promise<void> {
    return this.#closing.settled;
  }

  /** Aborts when `closed` settles: for work that only this stream wants. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  get isClosed(): boolean {
    return this.failure !== undefined || (this.sender.ended && this.receiver.ended);
  }

  /** True while bytes of the peer may still come. */
  get hasPeerBody(): boolean {
    return !this.receiver.ended;
  }

  /** Grows with each frame that arrives or is sent on this stream. */
  get movement(): number {
    return this.#activity.heard + this.sender.frames;
  }

  /** Frames of the peer that were WORKING. */
  get workings(): number {
    return this.#activity.workings;
  }

  /** True while this side waits for the peer's answer, or for more of its body. */
  get isAwaited(): boolean {
    return this.isUnanswered || this.receiver.isWaiting;
  }

  /** True while written bytes wait because the peer, or the network, does not take them. */
  get isSending(): boolean {
    return this.sender.isWaiting;
  }

  /** True while the peer has neither accepted nor refused it. */
  get isUnanswered(): boolean {
    return this.opener && !this.isAccepted;
  }

  /** Bytes of both bodies that have moved so far. */
  get moved(): number {
    return this.sender.sent + this.receiver.received;
  }

  /** True while this side can do nothing until the peer takes what was sent, or sends more. */
  get isWaiting(): boolean {
    return this.sender.isWaiting || this.receiver.isWaiting;
  }

  /** Members of the peer's END; complete when the body was read to its end. */
  get trailer(): Json {
    return this.#trailer;
  }

  /**
   * Say that the request is not forgotten, unless something was sent since the last call. "A responder MUST send
   * WORKING on every stream that was opened to it and on which it has sent nothing for 15 seconds, if both sides named
   * the capability `working`." (PROTOCOL.md, "Working")
   */
  sayWorking(): void {
    if (this.isClosed) return;
    const sent = this.sender.frames + (this.isAccepted ? 1 : 0);
    if (this.#activity.mustSayWorking(sent)) this.port.send(Opcode.WORKING, this.id, EMPTY);
  }

  /** Note that OPEN said that no body follows. */
  endWithOpen(): void {
    this.sender.endWithoutBody()();
  }

  /** @throws ProtocolError UNEXPECTED_FRAME */
  onAccept(result: Json, end: boolean): void {
    // "A second ACCEPT, or an ACCEPT from the opener, is UNEXPECTED_FRAME." (PROTOCOL.md, "Streams")
    if (!this.opener || this.isAccepted) {
      throw new ProtocolError("UNEXPECTED_FRAME", `An ACCEPT comes unasked on stream ${this.id}.`);
    }
    this.#activity.heard++;
    this.isAccepted = true;
    this.#accepted?.resolve(result);
    if (end) this.#endReceiver();
  }

  /** @throws ProtocolError UNEXPECTED_FRAME, CREDIT_EXCEEDED */
  onData(piece: Uint8Array): void {
    this.#checkBodyOpen("DATA");
    this.#activity.heard++;
    this.receiver.push(piece);
  }

  /** @throws ProtocolError UNEXPECTED_FRAME */
  onEnd(trailer: Json): void {
    this.#checkBodyOpen("END");
    this.#trailer = trailer;
    this.#endReceiver();
  }

  /** @throws ProtocolError CREDIT_EXCEEDED */
  onCredit(bytes: number): void {
    // Credit that nothing waits for does not show that the peer makes progress.
    if (this.sender.isWaiting) this.#activity.heard++;
    this.sender.grant(bytes);
  }

  /**
   * The peer is at work on it. "WORKING from an opener, or without the capability, is UNEXPECTED_FRAME." (PROTOCOL.md,
   * "Working")
   *
   * @throws ProtocolError UNEXPECTED_FRAME
   */
  onWorking(): void {
    if (!this.opener) throw new ProtocolError("UNEXPECTED_FRAME", "WORKING comes on a stream of the sender's own.");
    this.#activity.heard++;
    this.#activity.workings++;
  }

  /** Our body has been sent to its end. */
  onBodySent(): void {
    this.#closeIfEnded();
  }

  /** OPEN said that no body follows. */
  onOpenEnd(): void {
    this.#endReceiver();
  }

  /**
   * End the stream with an error, without telling the peer. `isLost`: the link is lost; what had arrived by then can
   * still be read if keepArrived() was called.
   */
  fail(error: CommError, isLost = false): void {
    if (this.isClosed) return;
    this.failure = error;
    this.sender.fail(error);
    this.receiver.fail(error, isLost);
    this.#accepted?.reject(error);
    this.port.disown(this.id);
    this.#close();
  }

  #checkBodyOpen(what: string): void {
    // "DATA or END from the responder before its ACCEPT is UNEXPECTED_FRAME." (PROTOCOL.md, "Streams")
    if (this.opener && !this.isAccepted) {
      throw new ProtocolError("UNEXPECTED_FRAME", `${what} comes before ACCEPT on stream ${this.id}.`);
    }
    // "A direction that has ended stays so: DATA or END after it is UNEXPECTED_FRAME until the stream is closed."
    // (PROTOCOL.md, "Streams")
    if (this.receiver.ended) {
      throw new ProtocolError("UNEXPECTED_FRAME", `${what} comes after the end of the body of stream ${this.id}.`);
    }
  }

  #endReceiver(): void {
    this.receiver.end();
    this.#closeIfEnded();
  }

  #closeIfEnded(): void {
    if (this.sender.ended && this.receiver.ended && this.failure === undefined) this.#close();
  }

  #close(): void {
    this.port.removeSource(this.sender);
    this.port.onStreamClosed(this.id);
    this.#closing.close();
  }
}
