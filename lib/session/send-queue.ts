import { HEADER_BYTES } from "../protocol/constants.ts";
import { encodeHeader } from "../protocol/header.ts";
import type { Opcode } from "../protocol/opcode.ts";
import type { Clock } from "./clock.ts";
import { ControlQueue } from "./control-queue.ts";
import { discard } from "./held-buffers.ts";
import type { RateLimit } from "./rate-limit.ts";
import type { FileBytes, Transport } from "./transport.ts";

/** A frame that a stream hands over when its turn has come. */
export interface StreamFrame {
  readonly opcode: Opcode;
  readonly streamId: number;
  readonly payload: Uint8Array | FileBytes;
  /** Called when the payload was sent, or never will be: its buffer is free again. */
  readonly onSent: (() => void) | undefined;
}

/** Something with frames to send in turn, one at a time. */
export interface FrameSource {
  /** The next frame, with at most `maxBytes` of payload; undefined: none now, and the source leaves the round. */
  takeFrame(maxBytes: number): StreamFrame | undefined;
}

/** Frames up to this size are copied into one write; larger payloads are sent by themselves, without a copy. */
const COPY_BYTES = 16 * 1024;
const BATCH_BYTES = 64 * 1024;

type SendTransport = Pick<Transport, "write" | "sendFile" | "close">;

interface SendRate {
  readonly limit: RateLimit;
  readonly clock: Clock;
}

/**
 * Frames that wait for the transport. Control frames go first, in order; then the sources in turn, a frame each. Small
 * waiting frames are sent in one write. "A sender SHOULD send control frames ahead of waiting DATA, and take turns
 * between streams, about 256 KiB each." (PROTOCOL.md, "Credit")
 *
 * Invariants: while #blocked only close() hands anything to the transport; each onSent of a frame handed over is called
 * once, when its write was sent or the link is gone; a source is in the round only while it may have a frame.
 */
export class SendQueue {
  readonly #transport: SendTransport;
  readonly #rate: SendRate | undefined;
  #cancelWait: (() => void) | undefined;
  #hasJustSent = false;
  readonly #control = new ControlQueue();
  /** Bytes handed to the transport. */
  bytesOut = 0;
  /** Sources with frames, in the order of their turns. */
  readonly #sources = new Set<FrameSource>();
  /** Called when the write under way was sent. */
  #inFlight: (() => void)[] = [];
  #blocked = false;
  #scheduled = false;
  #closing = false;
  /** Called when the control frames that waited have gone to the transport. */
  onControlSent: (() => void) | undefined;

  /** `rate`: how fast DATA may leave; absent: as fast as it goes. */
  constructor(transport: SendTransport, rate?: SendRate) {
    this.#transport = transport;
    this.#rate = rate;
  }

  /** Bytes of control frames that wait. */
  get controlBytes(): number {
    return this.#control.bytes;
  }

  /** As ControlQueue.causedBytes. */
  get causedBytes(): number {
    return this.#control.causedBytes;
  }

  /** Whether ACCEPT counts as caused by the peer. */
  set countsAccepts(counts: boolean) {
    this.#control.countsAccepts = counts;
  }

  /** Queue an encoded control frame, which belongs to the queue now. `onSent` is called when it has left. */
  pushControl(frame: Uint8Array, onSent?: () => void): void {
    if (this.#closing) return;
    this.#control.push(frame, onSent);
    this.#schedule();
  }

  /** As ControlQueue.disown(). */
  disown(streamId: number): void {
    this.#control.disown(streamId);
  }

  /** Put `source` into the round; no effect when it is there. */
  addSource(source: FrameSource): void {
    if (this.#closing) return;
    this.#sources.add(source);
    this.#schedule();
  }

  removeSource(source: FrameSource): void {
    this.#sources.delete(source);
  }

  /** The transport is empty again. */
  drained(): void {
    this.#blocked = false;
    this.#settle();
    this.#flush();
  }

  /**
   * Take nothing more, send the control frames that wait, then close the transport. Also while it is blocked:
   * the transport gives a peer that does not read a little time, and then gives up.
   */
  close(lingerMs?: number): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#cancelWait?.();
    this.#sources.clear();
    while (this.#writeBatch());
    this.#transport.close(lingerMs);
  }

  /** The transport is gone: writers get their buffers back. */
  abandon(): void {
    this.#closing = true;
    this.#blocked = true;
    this.#cancelWait?.();
    this.#sources.clear();
    this.#control.clear();
    this.#settle();
  }

  #schedule(): void {
    if (this.#scheduled || this.#blocked) return;
    this.#scheduled = true;
    // At the end of the present task: what else it produces goes into the same write.
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  /** Hand to the transport what it takes now. */
  #flush(): void {
    while (!this.#blocked && !this.#closing && this.#writeBatch());
  }

  /** One write of all that is small, and one more when a large payload is next. False when nothing waits. */
  #writeBatch(): boolean {
    const parts: Uint8Array[] = [];
    /** The buffers among them that are ours. */
    const frames: Uint8Array[] = [];
    let bytes = 0;
    const add = (part: Uint8Array) => {
      parts.push(part);
      bytes += part.length;
    };

    while (bytes < BATCH_BYTES) {
      const control = this.#control.shift();
      if (control === undefined) break;
      const { frame, onSent } = control;
      add(frame);
      frames.push(frame);
      if (onSent !== undefined) this.#inFlight.push(onSent);
    }
    let large: Uint8Array | FileBytes | undefined;
    while (bytes < BATCH_BYTES && large === undefined) {
      const frame = this.#nextStreamFrame();
      if (frame === undefined) break;
      add(headerOf(frame));
      const { payload } = frame;
      if (payload instanceof Uint8Array && payload.length <= COPY_BYTES) add(payload);
      else large = payload;
      if (frame.onSent !== undefined) this.#inFlight.push(frame.onSent);
    }

    if (bytes === 0) return false;
    const joined = join(parts, bytes);
    for (const frame of frames) if (frame !== joined) discard(frame);
    if (this.#write(joined)) discard(joined);
    if (large !== undefined) this.#write(large);
    if (!this.#blocked) this.#settle();
    if (this.#control.isEmpty) this.onControlSent?.();
    return true;
  }

  #nextStreamFrame(): StreamFrame | undefined {
    if (this.#sources.size > 0 && this.#mustWait()) return undefined;
    for (const source of this.#sources) {
      this.#sources.delete(source);
      const frame = source.takeFrame(this.#rate?.limit.frameBytes ?? Number.POSITIVE_INFINITY);
      if (frame === undefined) continue;
      this.#sources.add(source); // after the others
      this.#rate?.limit.spend(frame.payload.length);
      this.#hasJustSent = true;
      return frame;
    }
    return undefined;
  }

  /** True while DATA would exceed its rate; sending resumes by itself. */
  #mustWait(): boolean {
    const ms = this.#rate?.limit.waitMs() ?? 0;
    if (ms === 0) return false;
    // All links that share a limit may continue at the same moment: one that has just sent goes after the others.
    this.#cancelWait ??= this.#rate?.clock.after(this.#hasJustSent ? ms + 1 : ms, () => {
      this.#cancelWait = undefined;
      this.#hasJustSent = false;
      this.#flush();
    });
    return true;
  }

  /** @returns true when the buffer is free again */
  #write(bytes: Uint8Array | FileBytes): boolean {
    this.bytesOut += bytes.length;
    const isFree = bytes instanceof Uint8Array ? this.#transport.write(bytes) : this.#transport.sendFile(bytes);
    if (!isFree) this.#blocked = true;
    return isFree;
  }

  #settle(): void {
    const sent = this.#inFlight;
    if (sent.length === 0) return;
    this.#inFlight = [];
    for (const onSent of sent) onSent();
  }
}

function headerOf({ opcode, streamId, payload }: StreamFrame): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  encodeHeader(header, 0, { opcode, flags: 0, streamId, length: payload.length });
  return header;
}

function join(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  if (parts.length === 1) return parts[0] as Uint8Array;
  const joined = new Uint8Array(bytes);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}
