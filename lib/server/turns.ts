import type { Stream } from "../session/stream.ts";
import type { Holder } from "./holders.ts";
import type { MemoryShare, Need, Reservation } from "./memory-share.ts";

/** The stream that the work is for: its end ends the work. */
type Caller = Pick<Stream, "closed" | "isClosed" | "moved" | "isWaiting" | "reset">;

export interface TurnsOptions {
  /** The most turns at once. */
  readonly max: number;
  /** Whether the caller can resume the work later in another stream, where it stopped. */
  readonly isResumable: boolean;
  /** Called when work can't free its memory while the session lives. */
  onStuck(): void;
}

interface Waiting {
  readonly begin: (mayBegin: boolean) => void;
}

/**
 * Work of one member that takes memory or descriptors: a limited number at once, the rest in the order of arrival. Work
 * waits only as long as its stream lives, and never begins for a closed one, so it ends with its session.
 */
export class Turns {
  readonly #share: MemoryShare;
  readonly #options: TurnsOptions;
  /** Turns taken by work that runs, or that waits for its memory. */
  #taken = 0;
  readonly #running = new Set<Promise<void>>();
  readonly #waiting = new Set<Waiting>();
  /** Settles when the work of an earlier link has ended and released its files. */
  #earlier: Promise<unknown> | undefined;

  /** The memory of the work comes from `share`. */
  constructor(share: MemoryShare, options: TurnsOptions) {
    this.#share = share;
    this.#options = options;
  }

  /** The number of waiting calls. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Do `work` when its turn has come and there is room for what it needs; `grant` says how much it got, and is released
   * when `work` has ended. Resolves without doing it when the stream closes first.
   *
   * Work must end soon after its stream has closed: check `stream.isClosed` between two pieces of it, or pass
   * `stream.signal` on. While others wait for memory, a stream whose peer moves nothing is reset with CROWDED, and so is
   * one whose work can be resumed later and has lasted long. See `Reservation.isAtWork`.
   *
   * @throws what `work` throws
   */
  async run(stream: Caller, need: Need, work: (grant: Reservation) => Promise<void>): Promise<void> {
    if (this.#earlier !== undefined) await this.#earlier;
    if (!(await this.#begin(stream))) return;
    try {
      const grant = await this.#share.reserve(need, this.#holderOf(stream), stream.closed);
      if (grant === undefined) return;
      try {
        if (!stream.isClosed) await this.#run(work, grant);
      } finally {
        grant.release();
      }
    } finally {
      this.#taken--;
      this.#callNext();
    }
  }

  /** The member continues over another link: running work will fail soon, and nothing new begins before that. */
  renew(): void {
    this.#earlier = Promise.allSettled([this.#earlier, ...this.#running]);
  }

  #holderOf(stream: Caller): Holder {
    const { isResumable, onStuck } = this.#options;
    return {
      isResumable,
      get moved() {
        return stream.moved;
      },
      get isWaiting() {
        return stream.isWaiting;
      },
      yield: () =>
        stream.reset("CROWDED", "Others are waiting for the memory of this request; continue in another stream."),
      end: onStuck,
    };
  }

  async #run(work: (grant: Reservation) => Promise<void>, grant: Reservation): Promise<void> {
    const running = work(grant);
    this.#running.add(running);
    try {
      await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** @returns false when the stream closed before its turn came */
  async #begin(stream: Caller): Promise<boolean> {
    if (stream.isClosed) return false;
    if (this.#taken < this.#options.max) {
      this.#taken++;
      return true;
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiting: Waiting = { begin: resolve };
    this.#waiting.add(waiting);
    void stream.closed.then(() => {
      if (this.#waiting.delete(waiting)) resolve(false);
    });
    return promise;
  }

  #callNext(): void {
    for (const waiting of this.#waiting) {
      if (this.#taken >= this.#options.max) return;
      this.#waiting.delete(waiting);
      this.#taken++;
      waiting.begin(true);
    }
  }
}
