import type { Transport, TransportHandler } from "../../lib/session/transport.ts";
import { settle } from "./fake-clock.ts";
import { until } from "./until.ts";

/** More than any pipe between two sockets of this machine holds. */
const MORE_THAN_ANY_PIPE = 256 * 1024 * 1024;

/** One end of a transport: starts it, and records its events in order. */
export class TransportRecorder implements TransportHandler {
  readonly transport: Transport;
  readonly pieces: Uint8Array[] = [];
  byteCount = 0;
  drains = 0;
  peerEnds = 0;
  readonly closes: (Error | undefined)[] = [];
  /** Called after each piece was recorded. */
  onPiece: ((bytes: Uint8Array) => void) | undefined;
  /** When off, pieces are counted and thrown away. */
  keep = true;

  constructor(transport: Transport) {
    this.transport = transport;
  }

  start(): this {
    this.transport.start(this);
    return this;
  }

  onBytes(bytes: Uint8Array): void {
    if (this.keep) this.pieces.push(bytes);
    this.byteCount += bytes.length;
    this.onPiece?.(bytes);
  }

  onDrain(): void {
    this.drains++;
  }

  onPeerEnd(): void {
    this.peerEnds++;
  }

  onClosed(error: Error | undefined): void {
    this.closes.push(error);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.pieces);
  }

  get text(): string {
    return this.bytes.toString();
  }

  received(count: number): Promise<true> {
    return until(() => this.byteCount >= count);
  }

  closed(): Promise<true> {
    return until(() => this.closes.length > 0);
  }

  /** Write as a well-behaved sender does: after false, wait for onDrain(). */
  async send(parts: Iterable<Uint8Array>): Promise<void> {
    for (const part of parts) {
      const drainsBefore = this.drains;
      if (!this.transport.write(part)) await until(() => this.drains > drainsBefore);
    }
  }

  /**
   * Write until the pipe is full and stays so; returns the number of bytes. Fails when that never happens, as when the
   * other end keeps reading.
   */
  async fill(part: Uint8Array): Promise<number> {
    let written = 0;
    while (written < MORE_THAN_ANY_PIPE) {
      const drainsBefore = this.drains;
      written += part.length;
      if (this.transport.write(part)) continue;
      await settle();
      if (this.drains === drainsBefore) return written;
    }
    throw new Error(`${written} bytes were written and the pipe is not full`);
  }
}

/** Bytes that differ from place to place, so that a lost, doubled or moved piece is noticed. */
export function noise(length: number, seed = 1): Buffer {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed;
  for (let index = 0; index < words.length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    words[index] = state;
  }
  return Buffer.from(words.buffer, 0, length);
}

/** `bytes` cut into parts of the given lengths, over and over. */
export function* cut(bytes: Uint8Array, lengths: readonly number[]): Generator<Uint8Array> {
  for (let start = 0, turn = 0; start < bytes.length; turn++) {
    const length = lengths[turn % lengths.length] as number;
    yield bytes.subarray(start, start + length);
    start += length;
  }
}
