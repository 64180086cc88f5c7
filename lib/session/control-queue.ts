import { readUint32 } from "../protocol/header.ts";
import { Opcode } from "../protocol/opcode.ts";

/** The position of the stream id in an encoded frame. */
const STREAM_ID_OFFSET = 4;

export interface ControlFrame {
  /** Header and payload. */
  readonly frame: Uint8Array;
  /** Whether it counts in causedBytes. */
  isCaused: boolean;
  /** Called when the frame was sent. */
  readonly onSent: (() => void) | undefined;
}

/**
 * Control frames that wait for the transport, first in, first out. It counts how many bytes of them the peer has caused:
 * a peer must read its answers before it causes more.
 *
 * Invariants: `bytes` is the sum of all waiting frames, `causedBytes` that of the ones with isCaused.
 */
export class ControlQueue {
  readonly #frames: ControlFrame[] = [];
  /** Bytes of all waiting frames. */
  bytes = 0;
  /**
   * Bytes of frames that the peer can cause in any number: PONG, RESET, ACCEPT if it counts, and all frames that wait
   * on a stream that is over.
   */
  causedBytes = 0;
  /**
   * Whether ACCEPT counts as caused by the peer. The number of streams bounds it, so it counts on one side only, the
   * server: otherwise two honest peers could both stop reading, each waiting for the other.
   */
  countsAccepts = false;

  get isEmpty(): boolean {
    return this.#frames.length === 0;
  }

  /** Add an encoded frame; the queue owns it from now on. */
  push(frame: Uint8Array, onSent: (() => void) | undefined): void {
    const [, opcode] = frame;
    const isCaused =
      opcode === Opcode.PONG || opcode === Opcode.RESET || (opcode === Opcode.ACCEPT && this.countsAccepts);
    this.#frames.push({ frame, isCaused, onSent });
    this.bytes += frame.length;
    if (isCaused) this.causedBytes += frame.length;
  }

  /** Remove and return the next frame; undefined when none waits. */
  shift(): ControlFrame | undefined {
    const next = this.#frames.shift();
    if (next === undefined) return undefined;
    this.bytes -= next.frame.length;
    if (next.isCaused) this.causedBytes -= next.frame.length;
    return next;
  }

  /** The stream is over, so the number of streams no longer bounds its waiting frames. */
  disown(streamId: number): void {
    for (const waiting of this.#frames) {
      if (waiting.isCaused || readUint32(waiting.frame, STREAM_ID_OFFSET) !== streamId) continue;
      waiting.isCaused = true;
      this.causedBytes += waiting.frame.length;
    }
  }

  /** Drop all frames without calling onSent: the link is gone. */
  clear(): void {
    this.#frames.length = 0;
  }
}
