import { ProtocolError } from "../errors.ts";
import { MAX_CREDIT } from "../protocol/constants.ts";

/**
 * The sender's side of flow control: how many bytes of DATA it may still send.
 * Invariant: 0 <= available <= MAX_CREDIT. Source: PROTOCOL.md, "Credit".
 */
export class SendCredit {
  #available: number;

  constructor(initial: number) {
    this.#available = initial;
  }

  get available(): number {
    return this.#available;
  }

  /** @throws ProtocolError CREDIT_EXCEEDED when the grant is 0 or lifts the balance above MAX_CREDIT */
  grant(bytes: number): void {
    // "A CREDIT of 0, or one that lifts the balance above 2147483647, is CREDIT_EXCEEDED." (PROTOCOL.md, "Credit")
    if (bytes === 0) throw new ProtocolError("CREDIT_EXCEEDED", "A CREDIT frame grants nothing.");
    if (this.#available + bytes > MAX_CREDIT) {
      throw new ProtocolError("CREDIT_EXCEEDED", `A grant of ${bytes} bytes lifts the credit above ${MAX_CREDIT}.`);
    }
    this.#available += bytes;
  }

  /** Take up to `wanted` bytes off the balance. @returns the bytes taken */
  consume(wanted: number): number {
    const taken = Math.min(wanted, this.#available);
    this.#available -= taken;
    return taken;
  }
}

/**
 * The receiver's side: enforces the credit that the peer was granted, and grants more for bytes that have reached their
 * sink. Invariant: granted + unconsumed + owed = window.
 */
export class ReceiveWindow {
  #window: number;
  /** Bytes that the peer may still send. */
  #granted: number;
  /** Bytes that have reached their sink and are not yet granted again. */
  #owed = 0;

  constructor(window: number) {
    this.#window = window;
    this.#granted = window;
  }

  /** @throws ProtocolError CREDIT_EXCEEDED when the peer sends more than it was granted */
  receive(bytes: number): void {
    // "DATA above the credit is CREDIT_EXCEEDED." (PROTOCOL.md, "Credit")
    if (bytes > this.#granted) {
      throw new ProtocolError("CREDIT_EXCEEDED", `DATA of ${bytes} bytes is above the credit of ${this.#granted}.`);
    }
    this.#granted -= bytes;
  }

  /**
   * Make the window `window` bytes wide; one that is not wider than now changes nothing.
   *
   * @returns the grant to send now, in bytes
   */
  widen(window: number): number {
    const more = window - this.#window;
    if (more <= 0) return 0;
    this.#window = window;
    const grant = more + this.#owed;
    this.#owed = 0;
    this.#granted += grant;
    return grant;
  }

  /** Note that `bytes` reached their sink. @returns the grant to send now, in bytes: 0 until it is worth a frame */
  consume(bytes: number): number {
    this.#owed += bytes;
    if (this.#owed * 2 < this.#window) return 0;
    const grant = this.#owed;
    this.#owed = 0;
    this.#granted += grant;
    return grant;
  }
}
