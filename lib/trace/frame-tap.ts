import { toCommError } from "../errors.ts";
import { HEADER_BYTES } from "../protocol/constants.ts";
import { decodeHeader, type Header } from "../protocol/header.ts";
import { Opcode } from "../protocol/opcode.ts";

export interface TapSink {
  /** A whole frame; for DATA only the header, with an empty `payload`. A view: copy what must outlive the call. */
  onFrame(header: Header, payload: Uint8Array): void;
  /** The bytes are not a frame, and the rest of this direction is ignored. */
  onFault(message: string): void;
}

const EMPTY = new Uint8Array(0);

/** Finds the frames in one direction of a connection as the bytes pass. It never throws, and changes nothing. */
export class FrameTap {
  readonly #sink: TapSink;
  #headerBytes = new Uint8Array(HEADER_BYTES);
  #headerFilled = 0;
  #header: Header | undefined;
  #payload = EMPTY;
  /** Bytes of the current payload that have passed. */
  #passed = 0;
  #isLost = false;

  constructor(sink: TapSink) {
    this.#sink = sink;
  }

  push(bytes: Uint8Array): void {
    for (let offset = 0; offset < bytes.length && !this.#isLost; ) {
      offset += this.#header === undefined ? this.#takeHeader(bytes.subarray(offset)) : this.#take(bytes, offset);
    }
  }

  /** `length` bytes of DATA passed unseen. */
  skip(length: number): void {
    this.#passed += length;
    this.#endIfWhole();
  }

  #takeHeader(bytes: Uint8Array): number {
    const part = bytes.subarray(0, HEADER_BYTES - this.#headerFilled);
    this.#headerBytes.set(part, this.#headerFilled);
    this.#headerFilled += part.length;
    if (this.#headerFilled < HEADER_BYTES) return part.length;
    this.#headerFilled = 0;
    try {
      this.#header = decodeHeader(this.#headerBytes);
    } catch (thrown) {
      this.#isLost = true;
      this.#sink.onFault(toCommError(thrown).message);
      return part.length;
    }
    this.#passed = 0;
    if (this.#header.opcode === Opcode.DATA) this.#sink.onFrame(this.#header, EMPTY);
    else this.#payload = new Uint8Array(this.#header.length);
    this.#endIfWhole();
    return part.length;
  }

  #take(bytes: Uint8Array, offset: number): number {
    const { opcode, length } = this.#header as Header;
    const part = bytes.subarray(offset, offset + length - this.#passed);
    if (opcode !== Opcode.DATA) this.#payload.set(part, this.#passed);
    this.skip(part.length);
    return part.length;
  }

  #endIfWhole(): void {
    const header = this.#header;
    if (header === undefined || this.#passed < header.length) return;
    this.#header = undefined;
    if (header.opcode !== Opcode.DATA) this.#sink.onFrame(header, this.#payload);
  }
}
