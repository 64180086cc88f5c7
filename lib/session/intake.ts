import { FrameDecoder, type FrameSink } from "../protocol/frame-decoder.ts";
import type { Backlogs } from "./backlogs.ts";
import { discard, hold, letGo } from "./held-buffers.ts";
import type { SendQueue } from "./send-queue.ts";
import type { Transport } from "./transport.ts";

/** The most work for one peer in one turn, in the units of FrameDecoder.push(). */
export const WORK_PER_TURN = 128;

/**
 * Why a link does not read: the peer does not read either, has sent more frames than one turn handles, or sends too
 * fast.
 */
export const Hold = { unread: 1, backlog: 2, rate: 4 } as const;
export type Hold = (typeof Hold)[keyof typeof Hold];

export interface IntakeSink extends FrameSink {
  /** Decoding failed, and has stopped. */
  onDecodeError(error: unknown): void;
}

/**
 * Passes bytes from the transport to the decoder, a turn's worth at a time, so that a peer that sends frames without end
 * does not keep the others from their turn.
 *
 * - Bytes not decoded yet form the backlog, in order of arrival. While there is one, new bytes go to its end,
 *   Hold.backlog is set, and either a turn is due or Hold.unread is set.
 * - The transport is paused exactly while #holds is not 0. It may still deliver bytes when the peer is gone.
 * - Each buffer is held (held-buffers.ts) from its arrival until its last byte was decoded or dropped.
 * - The peer's end waits for the backlog (whenHeard()), but not while Hold.unread is set: a peer that does not read its
 *   answers is not read to its end either.
 */
export class Intake {
  readonly #transport: Pick<Transport, "pause" | "resume">;
  readonly #sink: IntakeSink;
  readonly #backlogs: Backlogs;
  readonly decoder: FrameDecoder;
  /** Bits of Hold. */
  #holds = 0;
  #backlog: Uint8Array[] | undefined;
  #isTurnDue = false;
  #onHeard: (() => void) | undefined;

  constructor(transport: Pick<Transport, "pause" | "resume">, sink: IntakeSink, backlogs: Backlogs) {
    this.#transport = transport;
    this.#sink = sink;
    this.#backlogs = backlogs;
    this.decoder = new FrameDecoder(sink);
  }

  isHeld(reason: Hold): boolean {
    return (this.#holds & reason) !== 0;
  }

  /** Stop reading for this reason, until release() has removed it and no other reason is left. */
  hold(reason: Hold): void {
    // If many dead peers were read to their end at once, all their bytes would be in memory together.
    const isBrief = reason === Hold.backlog;
    if (this.#holds === 0 || !isBrief) this.#transport.pause(isBrief);
    this.#holds |= reason;
  }

  release(reason: Hold): void {
    if (!this.isHeld(reason)) return;
    this.#holds &= ~reason;
    if (this.#holds === 0) this.#transport.resume();
  }

  /**
   * The peer does not read its answers: after the present frame, decode nothing until those in `queue` have left. If the
   * peer's end waits in whenHeard(), it comes now.
   */
  holdUnread(queue: Pick<SendQueue, "onControlSent">): void {
    if (this.#onHeard !== undefined) return this.#onHeard();
    this.hold(Hold.unread);
    this.decoder.pause();
    queue.onControlSent = () => {
      queue.onControlSent = undefined;
      this.release(Hold.unread);
      this.#goOnLater();
    };
  }

  /** Bytes have arrived; the intake owns them from now on. */
  take(bytes: Uint8Array): void {
    hold(bytes);
    if (this.#backlog !== undefined) this.#backlog.push(bytes);
    else if (!this.#decode(bytes)) {
      this.hold(Hold.backlog);
      this.#goOnLater();
    }
  }

  /** Bytes have arrived while Hold.unread is set: the peer is gone, and its bytes are dropped. */
  refuse(bytes: Uint8Array): void {
    this.decoder.stop();
    discard(bytes);
  }

  /** Call `end` when all bytes before it have been decoded. */
  whenHeard(end: () => void): void {
    const isHeard = !this.decoder.isStopped && !this.isHeld(Hold.unread);
    if (this.#backlog !== undefined && isHeard) this.#onHeard = end;
    else end();
  }

  drop(): void {
    for (const bytes of this.#backlog ?? []) letGo(bytes);
    this.#backlog = undefined;
  }

  /** Decode nothing more, and forget whenHeard(). */
  close(): void {
    this.drop();
    this.#onHeard = undefined;
    this.decoder.stop();
  }

  /** @returns false when there was more than a turn's worth: the rest is now the backlog */
  #decode(bytes: Uint8Array): boolean {
    try {
      const taken = this.decoder.push(bytes, WORK_PER_TURN);
      if (taken === bytes.length) {
        letGo(bytes);
        return true;
      }
      this.#backlog ??= [];
      this.#backlog.unshift(bytes.subarray(taken));
      return false;
    } catch (error) {
      this.#sink.onDecodeError(error);
      return true;
    }
  }

  #goOnLater(): void {
    if (this.#isTurnDue || this.#backlog === undefined) return;
    this.#isTurnDue = true;
    this.#backlogs.add(() => {
      this.#isTurnDue = false;
      if (this.isHeld(Hold.unread)) return;
      const next = this.#backlog?.shift();
      if (next !== undefined) this.#decode(next);
      if (this.#backlog !== undefined && this.#backlog.length > 0) return this.#goOnLater();
      this.#backlog = undefined;
      this.release(Hold.backlog);
      this.#onHeard?.();
    });
  }
}
