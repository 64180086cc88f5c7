import { CommError, type ErrorCode, StreamError } from "../errors.ts";
import { encodeReason } from "../protocol/messages.ts";
import { Flag, Opcode } from "../protocol/opcode.ts";
import type { FileSource } from "./body-sender.ts";
import { encodeControl, type Json } from "./control-payload.ts";
import { discard } from "./held-buffers.ts";
import { StreamCore } from "./stream-core.ts";

const EMPTY = new Uint8Array(0);

/** One request or push, with a body in either direction, as its user sees it. */
export class Stream extends StreamCore {
  /**
   * Answer the peer's OPEN. With `end` there is no body in this direction.
   *
   * @throws StreamError INTERNAL when the result is too large for a frame; what ended the stream, if so
   */
  accept(result: Json, options: { end?: boolean } = {}): void {
    if (this.failure !== undefined) throw this.failure;
    const payload = encodeControl(result);
    this.isAccepted = true;
    if (options.end) this.port.send(Opcode.ACCEPT, this.id, payload, Flag.END, this.sender.endWithoutBody());
    else this.port.send(Opcode.ACCEPT, this.id, payload);
    discard(payload);
  }

  /**
   * Send the next bytes of the body. Resolves when they have left; then, and when this rejects, the buffer is free
   * again. A slow peer delays this by its credit.
   *
   * @throws RemoteError after the peer's RESET, StreamError after reset(), TransportError when the link is gone
   */
  write(bytes: Uint8Array): Promise<void> {
    return bytes.length === 0 ? Promise.resolve() : this.#enqueue(Opcode.DATA, bytes);
  }

  /** True when writeFile() can be used. */
  get canSendFiles(): boolean {
    return this.port.canSendFiles();
  }

  /** As write(), for bytes of an open file that do not pass through this process. @throws as write() */
  writeFile(source: FileSource): Promise<void> {
    return this.#enqueue(Opcode.DATA, source);
  }

  /** End the body in this direction after everything that was written. @throws as write() */
  async end(trailer?: Json): Promise<void> {
    await this.#enqueue(Opcode.END, trailer === undefined ? EMPTY : encodeControl(trailer));
  }

  /** As reset(), with further members of the reason (PROTOCOL.md, "Payloads"). */
  refuse(code: ErrorCode, message: string, members: { readonly retryAfterMs: number }): void {
    if (this.isClosed) return;
    this.port.send(Opcode.RESET, this.id, encodeReason(code, message, members));
    this.fail(new StreamError(code, message));
  }

  /** Abort both directions now; `error` is what its user here gets. No effect when the stream has ended. */
  reset(code: ErrorCode, message: string, error: CommError = new StreamError(code, message)): void {
    if (this.isClosed) return;
    this.port.send(Opcode.RESET, this.id, encodeReason(code, message));
    this.fail(error);
  }

  /**
   * The next bytes of the peer's body, as BodyReceiver.read(): invalid when the next are requested.
   *
   * @throws as write()
   */
  read(): Promise<Uint8Array | undefined> {
    return this.receiver.read();
  }

  /**
   * Its turn has come: let the peer have `window` bytes under way from now on, instead of the first credit of the
   * session. A smaller window than the present one changes nothing.
   */
  widen(window: number): void {
    this.receiver.widen(window);
  }

  /**
   * Keep what has arrived readable after the link is lost, so that it need not be sent again. For the opener this holds
   * from the beginning. At its peer it means that work continues for a session that is gone, so call it there only when
   * that work has begun and is short.
   */
  keepArrived(): void {
    this.receiver.keepArrived();
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

  #enqueue(opcode: typeof Opcode.DATA | typeof Opcode.END, bytes: Uint8Array | FileSource): Promise<void> {
    if (this.opener || this.isAccepted) return this.sender.enqueue(opcode, bytes);
    return Promise.reject(new CommError("UNEXPECTED", `A body comes before accept() on stream ${this.id}.`));
  }
}
