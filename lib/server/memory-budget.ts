import type { Clock } from "../session/clock.ts";
import { HOLDER_STALLED_MS, type Holder, Holders } from "./holders.ts";
import type { MemoryLimits } from "./memory-limits.ts";
import { MemoryShare, type Need, Reservation, type ShareBudget } from "./memory-share.ts";

/** How often to decide which holders give way to waiting ones. */
const LOOK_MS = 1_000;

interface Waiting {
  readonly share: MemoryShare;
  readonly need: Need;
  readonly holder: Holder;
  readonly since: number;
  readonly resolve: (reservation: Reservation | undefined) => void;
}

/**
 * The memory that peers may use in the server: buffers of transfers, answers and records that nobody has read yet. Code
 * that keeps something for a peer first reserves it in the session's share, and releases it when the last of it is
 * gone. Nothing is measured: the budget relies on correct bookkeeping.
 *
 * Nobody waits for ever because of others. While others wait, a holder that moves nothing must give its memory back,
 * and so must every resumable holder that has had it for a minute.
 */
export class MemoryBudget implements ShareBudget {
  readonly limits: MemoryLimits;
  #used = 0;
  /** The number of grants so far. */
  #served = 0;
  /** Waiting needs, in the order of arrival. */
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

  /** The number of needs that wait for room. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** The share of a new session. The session must release its reservations; the share itself holds nothing. */
  share(): MemoryShare {
    return new MemoryShare(this);
  }

  take(share: MemoryShare, bytes: number): boolean {
    if (!share.hasRoomFor(bytes) || !this.#hasRoomFor(share, bytes)) return false;
    this.#note(share, bytes);
    return true;
  }

  give(share: MemoryShare, bytes: number): void {
    this.#note(share, -bytes);
    this.#serve();
  }

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

  forget(reservation: Reservation): void {
    this.#holders.remove(reservation);
  }

  /** Bytes wanted by sessions that have waited long enough for others' memory, not for their own. */
  #wanted(now: number): number {
    const shares = new Set<MemoryShare>();
    let bytes = 0;
    for (const waiting of this.#waiting) {
      const { share, need, since } = waiting;
      if (!this.#isFirst(waiting) || now - since < HOLDER_STALLED_MS || shares.has(share)) continue;
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

  /** Grant every need that there is room for. Small needs can't overtake a larger one for ever. */
  #serve(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const { share, need, holder, resolve } = next;
      if (!this.#hasRoomFor(share, need.least)) return;
      this.#waiting.delete(next);
      // Grant the most only while half of the budget is free.
      const isPlenty = share.hasRoomFor(need.most) && this.#used + need.most <= this.limits.bytes / 2;
      const bytes = isPlenty ? need.most : need.least;
      this.#note(share, bytes);
      share.servedAt = ++this.#served;
      const reservation = new Reservation(share, bytes);
      this.#holders.add(reservation, holder, this.#clock.now());
      resolve(reservation);
    }
  }

  /**
   * Whose turn it is: sessions that hold little go before those that hold much; among equals, the one that was served
   * longest ago.
   */
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
