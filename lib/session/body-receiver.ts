import type { CommError } from "../errors.ts";
import { ReceiveWindow } from "./credit.ts";
import { letGo } from "./held-buffers.ts";
import { ReceiveQueue } from "./receive-queue.ts";

/** The share of a window that may be kept in memory in addition to the bytes that came within it. */
const SPARE_SHARE = 1 / 8;

export interface BodyReceiverPort {
  sendCredit(streamId: number, bytes: number): void;
}

/** The body of a stream in the peer's direction: its unread bytes, and the credit for more. */
export class BodyReceiver {
  readonly #window: ReceiveWindow;
  readonly #streamId: number;
  readonly #port: BodyReceiverPort;
  readonly #queue: ReceiveQueue;
  #ended = false;
  #failure: CommError | undefined;
  #wakeReader: (() => void) | undefined;
  /** The piece that the reader has. */
  #held: Uint8Array | undefined;
  #keepsArrived: boolean;
  /** Bytes that have arrived. */
  received = 0;

  /**
   * `window`: the most bytes that the peer may have sent and we have not consumed. `keepsArrived`: as keepArrived().
   */
  constructor(streamId: number, window: number, keepsArrived: boolean, port: BodyReceiverPort) {
    this.#streamId = streamId;
    this.#port = port;
    this.#window = new ReceiveWindow(window);
    this.#queue = new ReceiveQueue(SPARE_SHARE * window);
    this.#keepsArrived = keepsArrived;
  }

  /** True while somebody waits for the peer to send. */
  get isWaiting(): boolean {
    return this.#wakeReader !== undefined;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** @throws ProtocolError CREDIT_EXCEEDED */
  push(piece: Uint8Array): void {
    this.#window.receive(piece.length);
    this.received += piece.length;
    this.#queue.push(piece);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** As Stream.widen(). */
  widen(window: number): void {
    const bytes = this.#window.widen(window);
    this.#queue.spareBytes = Math.max(this.#queue.spareBytes, SPARE_SHARE * window);
    if (bytes > 0 && !this.#ended && this.#failure === undefined) this.#port.sendCredit(this.#streamId, bytes);
  }

  /** As Stream.keepArrived(). */
  keepArrived(): void {
    this.#keepsArrived = true;
  }

  /**
   * Drop unread bytes; or, after a lost link and if they are to be kept, let them be read before the failure is
   * reported.
   */
  fail(error: CommError, isLost: boolean): void {
    this.#failure = error;
    if (!isLost || !this.#keepsArrived) this.#queue.clear();
    this.#wake();
  }

  /**
   * The next bytes, undefined at the end. Calling it again says that the piece before has reached its sink: only
   * then the peer gets new credit, and the piece becomes invalid: copy what must outlive it. One reader at a time.
   *
   * @throws the error given to fail()
   */
  async read(): Promise<Uint8Array | undefined> {
    this.#grant();
    for (;;) {
      const piece = this.#queue.shift();
      if (piece !== undefined) {
        this.#held = piece;
        return piece;
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
  }

  #grant(): void {
    if (this.#held === undefined) return;
    const bytes = this.#window.consume(this.#held.length);
    letGo(this.#held);
    this.#held = undefined;
    if (bytes > 0 && !this.#ended && this.#failure === undefined) this.#port.sendCredit(this.#streamId, bytes);
  }

  #wake(): void {
    this.#wakeReader?.();
    this.#wakeReader = undefined;
  }
}
