/** What somebody needs to keep, in bytes: `least` to get on at all, `most` where there is plenty. */
export interface Need {
  readonly least: number;
  readonly most: number;
}

export interface MemoryLimits {
  /** What all peers together may make the server keep. */
  readonly bytes: number;
  /** What one session may. */
  readonly sessionBytes: number;
  /**
   * What each session may have of all of `bytes`. What it takes beyond that comes out of the first half of them, so that
   * those with much leave room for those with nothing.
   */
  readonly firstBytes: number;
}

const MIB = 1024 * 1024;

/** What a session may have of a budget, and of a small one. */
const SESSION_BYTES = 16 * MIB;
const FIRST_BYTES = 2.5 * MIB;

/** How a budget of `bytes` is shared out. */
export function memoryLimits(bytes: number): MemoryLimits {
  return { bytes, sessionBytes: Math.min(SESSION_BYTES, bytes), firstBytes: FIRST_BYTES };
}

interface Waiting {
  readonly share: MemoryShare;
  readonly need: Need;
  readonly resolve: (reservation: Reservation | undefined) => void;
}

/**
 * The bytes that peers may make the server keep: buffers of transfers, answers and records that nobody has read yet. Who
 * keeps something for a peer takes a reservation of its session's share before, and gives it back when the last of it is
 * gone. Nothing is measured; it is a matter of honest bookkeeping.
 */
export class MemoryBudget {
  readonly limits: MemoryLimits;
  #used = 0;
  /** In the order of their coming. */
  readonly #waiting = new Set<Waiting>();

  constructor(limits: MemoryLimits) {
    this.limits = limits;
  }

  /** Bytes that are reserved. */
  get used(): number {
    return this.#used;
  }

  /** How many wait for room. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** The share of a new session. There is nothing to be given back with the session: its reservations are. */
  share(): MemoryShare {
    return new MemoryShare(this);
  }

  /** For shares: add `bytes` to what `share` has, where there is room. */
  take(share: MemoryShare, bytes: number): boolean {
    if (!share.hasRoomFor(bytes) || !this.#hasRoomFor(share, bytes)) return false;
    this.#note(share, bytes);
    return true;
  }

  /** For shares. */
  give(share: MemoryShare, bytes: number): void {
    this.#note(share, -bytes);
    this.#serve();
  }

  /** For shares: as MemoryShare.reserve(). */
  wait(share: MemoryShare, need: Need, until: Promise<unknown>): Promise<Reservation | undefined> {
    const { promise, resolve } = Promise.withResolvers<Reservation | undefined>();
    const waiting: Waiting = { share, need, resolve };
    this.#waiting.add(waiting);
    this.#serve();
    if (!this.#waiting.has(waiting)) return promise;
    void until.then(() => {
      if (!this.#waiting.delete(waiting)) return;
      resolve(undefined);
      this.#serve();
    });
    return promise;
  }

  #hasRoomFor(share: MemoryShare, bytes: number): boolean {
    const { firstBytes } = this.limits;
    const limit = share.used + bytes <= firstBytes ? this.limits.bytes : this.limits.bytes / 2;
    return this.#used + bytes <= limit;
  }

  #note(share: MemoryShare, bytes: number): void {
    this.#used += bytes;
    share.used += bytes;
  }

  /** Let those in who can be: first who has little, each in turn. Nobody small passes somebody larger for ever. */
  #serve(): void {
    if (this.#waiting.size === 0) return;
    const { firstBytes } = this.limits;
    for (const isFirst of [true, false]) {
      for (const waiting of this.#waiting) {
        const { share, need } = waiting;
        if (share.used + need.least <= firstBytes !== isFirst || !share.hasRoomFor(need.least)) continue;
        if (!this.#hasRoomFor(share, need.least)) return;
        this.#waiting.delete(waiting);
        // Generous only while half of all is free.
        const isPlenty = share.hasRoomFor(need.most) && this.#used + need.most <= this.limits.bytes / 2;
        const bytes = isPlenty ? need.most : need.least;
        this.#note(share, bytes);
        waiting.resolve(new Reservation(share, bytes));
      }
    }
  }
}

/** What one session keeps of the budget. */
export class MemoryShare {
  readonly #budget: MemoryBudget;
  /** Bytes that are reserved; the budget's to change. */
  used = 0;

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
  }

  /** Bytes that it may have in all. */
  get bytes(): number {
    return this.#budget.limits.sessionBytes;
  }

  /** Whether the session itself may have so many more. */
  hasRoomFor(bytes: number): boolean {
    return this.used + bytes <= this.bytes;
  }

  /**
   * Reserve `bytes` now; undefined when the session has its share, or there is no room for it. For what can be left out,
   * such as one more record for somebody who does not read. Whoever gets it calls release(), also when the session ends.
   */
  tryReserve(bytes: number): Reservation | undefined {
    return this.#budget.take(this, bytes) ? new Reservation(this, bytes) : undefined;
  }

  /**
   * Reserve when it is one's turn: `need.most` where there is plenty, else `need.least`, which must be within a session's
   * share. undefined when `until` settled first. Most work wants Turns.run(), which does this and more.
   */
  reserve(need: Need, until: Promise<unknown>): Promise<Reservation | undefined> {
    return this.#budget.wait(this, need, until);
  }

  /** For reservations: as Reservation.resize(). */
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

  constructor(share: MemoryShare, bytes: number) {
    this.#share = share;
    this.#bytes = bytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Keep another number of bytes from now on. @returns false when there is no room for more: then nothing has changed */
  resize(bytes: number): boolean {
    if (!this.#share.resize(this.#bytes, bytes)) return false;
    this.#bytes = bytes;
    return true;
  }

  /** Nothing is kept any more. May be called again. */
  release(): void {
    this.resize(0);
  }
}
