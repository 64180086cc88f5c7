import type { Clock } from "../session/clock.ts";
import { type Holder, Holders, STALLED_MS } from "./holders.ts";

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

/** A put in full, and three more that make do with little. */
const SESSION_BYTES = 20 * MIB;
/** One of those. */
const FIRST_BYTES = 2.75 * MIB;

/** How a budget of `bytes` is shared out. */
export function memoryLimits(bytes: number): MemoryLimits {
  return { bytes, sessionBytes: Math.min(SESSION_BYTES, bytes), firstBytes: FIRST_BYTES };
}

/** How often it is looked who gives way to those who wait. */
const LOOK_MS = 1_000;

interface Waiting {
  readonly share: MemoryShare;
  readonly need: Need;
  readonly holder: Holder;
  readonly since: number;
  readonly resolve: (reservation: Reservation | undefined) => void;
}

/**
 * The bytes that peers may make the server keep: buffers of transfers, answers and records that nobody has read yet. Who
 * keeps something for a peer takes a reservation of its session's share before, and gives it back when the last of it is
 * gone. Nothing is measured; it is a matter of honest bookkeeping.
 *
 * Nobody waits for ever because of others: who holds something, moves nothing and lets others wait is made to give it back,
 * and in the end whoever has had it for a minute.
 */
export class MemoryBudget {
  readonly limits: MemoryLimits;
  #used = 0;
  /** How often somebody was let in. */
  #served = 0;
  /** In the order of their coming. */
  readonly #waiting = new Set<Waiting>();
  readonly #holders = new Holders();
  readonly #clock: Clock;
  #cancelLook: (() => void) | undefined;

  constructor(limits: MemoryLimits, clock: Clock) {
    this.limits = limits;
    this.#clock = clock;
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
  wait(share: MemoryShare, need: Need, holder: Holder, until: Promise<unknown>): Promise<Reservation | undefined> {
    const { promise, resolve } = Promise.withResolvers<Reservation | undefined>();
    const waiting: Waiting = { share, need, holder, since: this.#clock.now(), resolve };
    this.#waiting.add(waiting);
    this.#serve();
    if (!this.#waiting.has(waiting)) return promise;
    this.#lookLater();
    void until.then(() => {
      if (!this.#waiting.delete(waiting)) return;
      resolve(undefined);
      this.#serve();
    });
    return promise;
  }

  /** For reservations that wait() gave: it is over. */
  forget(reservation: Reservation): void {
    this.#holders.remove(reservation);
  }

  /** Bytes for those who have waited long enough for others, and not for their own session. */
  #wanted(now: number): number {
    const shares = new Set<MemoryShare>();
    let bytes = 0;
    for (const waiting of this.#waiting) {
      const { share, need, since } = waiting;
      if (!this.#isFirst(waiting) || now - since < STALLED_MS || shares.has(share)) continue;
      shares.add(share);
      bytes += need.least;
    }
    return bytes;
  }

  #lookLater(): void {
    if (this.#cancelLook !== undefined) return;
    this.#holders.begin(this.#clock.now());
    this.#cancelLook = this.#clock.after(LOOK_MS, () => this.#look());
  }

  #look(): void {
    this.#cancelLook = undefined;
    if (this.#waiting.size === 0) return;
    const now = this.#clock.now();
    this.#holders.makeRoom(this.#wanted(now), now);
    this.#cancelLook = this.#clock.after(LOOK_MS, () => this.#look());
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

  /** Let those in who can be. Nobody small passes somebody larger for ever. */
  #serve(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const { share, need, holder, resolve } = next;
      if (!this.#hasRoomFor(share, need.least)) return;
      this.#waiting.delete(next);
      // Generous only while half of all is free.
      const isPlenty = share.hasRoomFor(need.most) && this.#used + need.most <= this.limits.bytes / 2;
      const bytes = isPlenty ? need.most : need.least;
      this.#note(share, bytes);
      share.servedAt = ++this.#served;
      const reservation = new Reservation(share, bytes);
      this.#holders.add(reservation, holder, this.#clock.now());
      resolve(reservation);
    }
  }

  /** Whose turn it is: a session that has little before one that has much, then the one that was served longest ago. */
  #next(): Waiting | undefined {
    let next: Waiting | undefined;
    for (const waiting of this.#waiting) {
      const { share, need } = waiting;
      if (share.hasRoomFor(need.least) && (next === undefined || this.#isBefore(waiting, next))) next = waiting;
    }
    return next;
  }

  #isBefore(one: Waiting, other: Waiting): boolean {
    const [hasLittle, hasOther] = [this.#isFirst(one), this.#isFirst(other)];
    return hasLittle === hasOther ? one.share.servedAt < other.share.servedAt : hasLittle;
  }

  #isFirst({ share, need }: Waiting): boolean {
    return share.used + need.least <= this.limits.firstBytes;
  }
}

/** What one session keeps of the budget. */
export class MemoryShare {
  readonly #budget: MemoryBudget;
  /** Bytes that are reserved, and its last place in the order of those who were let in; the budget's to change. */
  used = 0;
  servedAt = 0;

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
   * share. `holder` may be made to give it back when others wait. undefined when `until` settled first. Most work wants
   * Turns.run(), which does this and more.
   */
  reserve(need: Need, holder: Holder, until: Promise<unknown>): Promise<Reservation | undefined> {
    return this.#budget.wait(this, need, holder, until);
  }

  /** For reservations: it is over. */
  forget(reservation: Reservation): void {
    this.#budget.forget(reservation);
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
  /** Set by work that waits for its peer and has something to do all the same, such as to bring a file to the disk. */
  isAtWork: (() => boolean) | undefined;

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
    this.#share.forget(this);
    this.resize(0);
  }
}
