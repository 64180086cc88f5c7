import { ProtocolError } from "../errors.ts";
import { HEADER_BYTES, MAX_HELLO_BYTES } from "./constants.ts";
import { checkMagic, decodeHeader, type Header } from "./header.ts";
import { Opcode } from "./opcode.ts";

export interface FrameSink {
  /** A control frame, whole. `payload` may be a view of the pushed bytes: copy what must outlive the call. */
  onFrame(header: Header, payload: Uint8Array): void;
  /** The next bytes of a DATA frame, as they came: never empty, never joined, a view of the pushed bytes. */
  onData(streamId: number, piece: Uint8Array): void;
}

const EMPTY = new Uint8Array(0);

/**
 * Cuts a byte stream into frames, however it was split. Every length is checked at the header, before a
 * byte of payload is kept. DATA is passed on piece by piece and never kept. A control payload takes at most twice the
 * memory of the bytes that have arrived.
 */
export class FrameDecoder {
  readonly #sink: FrameSink;
  /** The beginning of a header that came in pieces; allocated only then, which is rare. */
  #headerBytes: Uint8Array = EMPTY;
  #headerFilled = 0;
  #header: Header | undefined;
  /** Control payload collected so far; DATA leaves it empty. */
  #payload: Uint8Array = EMPTY;
  /** Bytes of the current payload that have arrived. */
  #received = 0;
  /** Work done so far: 1 for a frame, and 1 more for each kilobyte of control payload. */
  #work = 0;
  #stopped = false;
  #paused = false;
  /** The largest control payload at present: smaller before a peer is admitted (PROTOCOL.md, "Limits"). */
  maxControlBytes = MAX_HELLO_BYTES;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  /** Decode nothing more, not even the rest of the bytes being pushed. */
  stop(): void {
    this.#stopped = true;
    this.#payload = EMPTY;
  }

  /** Of the bytes being pushed, take only the present frame. */
  pause(): void {
    this.#paused = true;
  }

  /**
   * Decode the next bytes, for about `maxWork` of work: 1 for a frame, and 1 more for each 1024 bytes of control
   * payload. The sink is called before this returns; after an error the decoder has stopped.
   *
   * @returns how many bytes were taken
   * @throws ProtocolError as decodeHeader(); as the sink
   */
  push(bytes: Uint8Array, maxWork = Number.POSITIVE_INFINITY): number {
    let offset = 0;
    const last = this.#work + maxWork;
    this.#paused = false;
    try {
      while (!this.#stopped && !this.#paused && offset < bytes.length && this.#work < last) {
        offset =
          this.#header === undefined ? this.#takeHeader(bytes, offset) : this.#takePayload(this.#header, bytes, offset);
      }
    } catch (error) {
      this.stop();
      throw error;
    }
    return this.#stopped ? bytes.length : offset;
  }

  #takeHeader(bytes: Uint8Array, offset: number): number {
    let header: Header;
    let next: number;
    if (this.#headerFilled === 0 && bytes.length - offset >= HEADER_BYTES) {
      header = decodeHeader(bytes, offset);
      next = offset + HEADER_BYTES;
    } else {
      next = Math.min(bytes.length, offset + HEADER_BYTES - this.#headerFilled);
      if (this.#headerFilled === 0) this.#headerBytes = new Uint8Array(HEADER_BYTES);
      this.#headerBytes.set(bytes.subarray(offset, next), this.#headerFilled);
      this.#headerFilled += next - offset;
      if (this.#headerFilled < HEADER_BYTES) return this.#rejectEarly(next);
      header = decodeHeader(this.#headerBytes);
      this.#headerBytes = EMPTY;
    }
    this.#headerFilled = 0;
    this.#begin(header);
    return next;
  }

  /** A peer of another protocol may never send 16 bytes: its first byte is enough to recognise it. */
  #rejectEarly(next: number): number {
    checkMagic(this.#headerBytes[0] as number);
    return next;
  }

  #begin(header: Header): void {
    this.#work += header.opcode === Opcode.DATA ? 1 : 1 + (header.length >> 10);
    if (header.opcode !== Opcode.DATA && header.length > this.maxControlBytes) {
      throw new ProtocolError(
        "FRAME_TOO_LARGE",
        `A control frame of ${header.length} bytes is above the present limit of ${this.maxControlBytes}.`,
      );
    }
    if (header.length === 0) {
      this.#sink.onFrame(header, EMPTY);
      return;
    }
    this.#header = header;
    this.#received = 0;
  }

  #takePayload(header: Header, bytes: Uint8Array, offset: number): number {
    const next = Math.min(bytes.length, offset + header.length - this.#received);
    const piece = bytes.subarray(offset, next);
    const whole = this.#received + piece.length === header.length;
    if (header.opcode === Opcode.DATA) {
      this.#received += piece.length;
      if (whole) this.#header = undefined;
      this.#sink.onData(header.streamId, piece);
    } else if (this.#received === 0 && whole) {
      this.#header = undefined;
      this.#sink.onFrame(header, piece);
    } else {
      this.#keep(piece, header.length);
      if (whole) this.#deliver(header);
    }
    return next;
  }

  #keep(piece: Uint8Array, length: number): void {
    const needed = this.#received + piece.length;
    if (needed > this.#payload.length) {
      const grown = new Uint8Array(Math.min(length, Math.max(2 * needed, 256)));
      grown.set(this.#payload.subarray(0, this.#received));
      this.#payload = grown;
    }
    this.#payload.set(piece, this.#received);
    this.#received = needed;
  }

  #deliver(header: Header): void {
    const payload = this.#payload.subarray(0, header.length);
    this.#payload = EMPTY;
    this.#header = undefined;
    this.#sink.onFrame(header, payload);
  }
}
