import { Tally } from "./tally.ts";

/** The original's words. */
export const FULL = "Server is full. Please try again later.";
/** For an address that has all the sessions it may have with one token. */
export const CROWDED = "Your address has as many sessions as the server allows.";

/** A peer that wants a seat. */
export interface Candidate {
  /** The party that it belongs to, for the limit per party. */
  readonly party: string;
  /** The candidate has a seat. Called from request() or, after waiting, from release(). */
  onSeated(): void;
  /** The candidate's place in the queue has changed; 1 is next. */
  onPosition(position: number): void;
  /** Another candidate takes its place in the queue; it must leave with release(). */
  onDisplaced(): void;
}

/**
 * The server's seats, and the queue for them. These are sets of candidates, not counts, so a seat can't leak: a
 * released candidate is gone, however it ended.
 */
export class Seats {
  readonly max: number;
  readonly maxWaiting: number;
  readonly #maxPerParty: number;
  readonly #seated = new Set<Candidate>();
  /** Waiting candidates, in the order of arrival. */
  readonly #waiting = new Set<Candidate>();
  /** Seats and queue places of each party. */
  readonly #perParty = new Tally();

  /** `maxPerParty`: seats and places in the queue, together, that one party may have. */
  constructor(limits: { max: number; maxWaiting: number; maxPerParty: number }) {
    this.max = limits.max;
    this.maxWaiting = limits.maxWaiting;
    this.#maxPerParty = limits.maxPerParty;
  }

  get taken(): number {
    return this.#seated.size;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Seat the candidate, queue it if it can wait, or turn it away. Nobody overtakes the queue, and no party can fill it:
   * the last arrival of the party with the most places makes room for a party with fewer.
   */
  request(candidate: Candidate, canWait: boolean): "seated" | "waiting" | "full" | "crowded" {
    if (this.#perParty.count(candidate.party) >= this.#maxPerParty) return "crowded";
    if (this.#seated.size < this.max && this.#waiting.size === 0) {
      this.#seated.add(candidate);
      this.#perParty.add(candidate.party);
      candidate.onSeated();
      return "seated";
    }
    if (!canWait || !this.#makePlace(candidate.party)) return "full";
    this.#waiting.add(candidate);
    this.#perParty.add(candidate.party);
    candidate.onPosition(this.#waiting.size);
    return "waiting";
  }

  /** Give the seat of `before` to `after`. */
  replace(before: Candidate, after: Candidate): void {
    if (!this.#seated.delete(before)) return;
    this.#perParty.remove(before.party);
    this.#seated.add(after);
    this.#perParty.add(after.party);
  }

  /** The candidate leaves its seat or its queue place. No effect when it has neither. */
  release(candidate: Candidate): void {
    const position = [...this.#waiting].indexOf(candidate) + 1;
    if (this.#waiting.delete(candidate)) {
      this.#perParty.remove(candidate.party);
      this.#tellFrom(position);
    } else if (this.#seated.delete(candidate)) {
      this.#perParty.remove(candidate.party);
      this.#fill();
    }
  }

  /** @returns whether the queue has a place for one more of `party` */
  #makePlace(party: string): boolean {
    if (this.#waiting.size < this.maxWaiting) return true;
    const places = new Tally();
    for (const waiting of this.#waiting) places.add(waiting.party);
    const most = places.most();
    if (most === undefined || places.count(most) < places.count(party) + 2) return false;
    const last = [...this.#waiting].findLast((waiting) => waiting.party === most);
    last?.onDisplaced();
    return this.#waiting.size < this.maxWaiting;
  }

  #fill(): void {
    let moved = false;
    for (const next of this.#waiting) {
      if (this.#seated.size >= this.max) break;
      this.#waiting.delete(next);
      this.#seated.add(next);
      next.onSeated();
      moved = true;
    }
    if (moved) this.#tellFrom(1);
  }

  #tellFrom(first: number): void {
    let position = 0;
    for (const candidate of this.#waiting) {
      position++;
      if (position >= first) candidate.onPosition(position);
    }
  }
}
