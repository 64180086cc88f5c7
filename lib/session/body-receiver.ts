import type { CommError } from "../errors.ts";
import { ReceiveWindow } from "./credit.ts";
import { ReceiveQueue } from "./receive-queue.ts";

/** The body of a stream in the peer's direction: what has arrived, and the credit for more. */
export class BodyReceiver {
  readonly #window: ReceiveWindow;
  readonly #onGrant: (bytes: number) => void;
  readonly #queue = new ReceiveQueue();
  #ended = false;
  #failure: CommError | undefined;
  #wakeReader: (() => void) | undefined;
  /** Length of the piece that the reader holds. */
  #held = 0;
  #keepsArrived: boolean;

  /**
   * `window`: bytes that the peer may have sent and not yet seen consumed. `keepsArrived`: as keepArrived(). `onGrant` sends
   * CREDIT.
   */
  constructor(window: number, keepsArrived: boolean, onGrant: (bytes: number) => void) {
    this.#window = new ReceiveWindow(window);
    this.#keepsArrived = keepsArrived;
    this.#onGrant = onGrant;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** True while somebody waits for what the peer sends next. */
  get isAwaited(): boolean {
    return this.#wakeReader !== undefined;
  }

  /** @throws ProtocolError CREDIT_EXCEEDED */
  push(piece: Uint8Array): void {
    this.#window.receive(piece.length);
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
    if (bytes > 0 && !this.#ended && this.#failure === undefined) this.#onGrant(bytes);
  }

  /** As Stream.keepArrived(). */
  keepArrived(): void {
    this.#keepsArrived = true;
  }

  /** What was not read yet is dropped, or after a lost link read before the failure is told, where it is to be kept. */
  fail(error: CommError, isLost: boolean): void {
    this.#failure = error;
    if (!isLost || !this.#keepsArrived) this.#queue.clear();
    this.#wake();
  }

  /**
   * The next bytes, undefined at the end. Asking again says that the piece before has reached its sink: only
   * then the peer is granted new credit. One reader at a time.
   *
   * @throws the error given to fail()
   */
  async read(): Promise<Uint8Array | undefined> {
    this.#grant();
    for (;;) {
      const piece = this.#queue.shift();
      if (piece !== undefined) {
        this.#held = piece.length;
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
    const bytes = this.#window.consume(this.#held);
    this.#held = 0;
    if (bytes > 0 && !this.#ended && this.#failure === undefined) this.#onGrant(bytes);
  }

  #wake(): void {
    this.#wakeReader?.();
    this.#wakeReader = undefined;
  }
}
