import type { Holder } from "./holders.ts";
import type { MemoryLimits } from "./memory-limits.ts";

/** Memory that work needs, in bytes: `least` to run at all, `most` when there is plenty. */
export interface Need {
  readonly least: number;
  readonly most: number;
}

/** What shares see of their budget. */
export interface ShareBudget {
  readonly limits: MemoryLimits;
  /** Add `bytes` to `share`. @returns false, and changes nothing, when there is no room */
  take(share: MemoryShare, bytes: number): boolean;
  give(share: MemoryShare, bytes: number): void;
  /** As MemoryShare.reserve(). */
  wait(share: MemoryShare, need: Need, holder: Holder, until: Promise<unknown>): Promise<Reservation | undefined>;
  /** A reservation that wait() gave is released. */
  forget(reservation: Reservation): void;
}

/** One session's part of the budget. */
export class MemoryShare {
  readonly #budget: ShareBudget;
  /** Bytes that are reserved, and the number of its last grant among all grants. The budget changes both. */
  used = 0;
  servedAt = 0;

  constructor(budget: ShareBudget) {
    this.#budget = budget;
  }

  /** The most bytes that the session may have. */
  get bytes(): number {
    return this.#budget.limits.sessionBytes;
  }

  /** Whether the session may have `bytes` more. */
  hasRoomFor(bytes: number): boolean {
    return this.used + bytes <= this.bytes;
  }

  /**
   * Reserve `bytes` now; undefined when the session has used up its share, or there is no room. For optional things,
   * such as one more record for a client that does not read. The holder calls release(), also when the session ends.
   */
  tryReserve(bytes: number): Reservation | undefined {
    return this.#budget.take(this, bytes) ? new Reservation(this, bytes) : undefined;
  }

  /**
   * Wait for a reservation: `need.most` when there is plenty, else `need.least`, which must be within a session's
   * share. `holder` may have to give it back when others wait. undefined when `until` settled first. Most work should
   * use Turns.run(), which does this and more.
   */
  reserve(need: Need, holder: Holder, until: Promise<unknown>): Promise<Reservation | undefined> {
    return this.#budget.wait(this, need, holder, until);
  }

  /** Called by a reservation that is released. */
  forget(reservation: Reservation): void {
    this.#budget.forget(reservation);
  }

  /** Called by a reservation, as Reservation.resize(). */
  resize(from: number, to: number): boolean {
    if (to > from) return this.#budget.take(this, to - from);
    if (to < from) this.#budget.give(this, from - to);
    return true;
  }
}

/** Bytes that a session has reserved, until they are released. */
export class Reservation {
  readonly #share: MemoryShare;
  #bytes: number;
  /** Set by work that may be busy while it waits for its peer, for instance writing a file to the disk. */
  isAtWork: (() => boolean) | undefined;

  constructor(share: MemoryShare, bytes: number) {
    this.#share = share;
    this.#bytes = bytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Change the size to `bytes`. @returns false, and changes nothing, when there is no room for more */
  resize(bytes: number): boolean {
    if (!this.#share.resize(this.#bytes, bytes)) return false;
    this.#bytes = bytes;
    return true;
  }

  /** Give the memory back. Calling it again has no effect. */
  release(): void {
    this.#share.forget(this);
    this.resize(0);
  }
}
