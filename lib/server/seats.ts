import { Tally } from "./tally.ts";

/** Who wants a seat. */
export interface Candidate {
  /** Whose it is, for the limit of one party; as PeerAddress.group. */
  readonly group: string;
  /** The seat is theirs. Called from request() or, for one who waited, from release(). */
  onSeated(): void;
  /** Their place among those who wait; 1 is next. */
  onPosition(position: number): void;
}

/**
 * The server's seats and the queue for them. Sets of the candidates themselves are kept, not numbers, so a
 * seat can't leak: whoever is released once is gone, however they died.
 */
export class Seats {
  readonly max: number;
  readonly maxWaiting: number;
  readonly #maxPerGroup: number;
  readonly #seated = new Set<Candidate>();
  /** In the order of arrival. */
  readonly #waiting = new Set<Candidate>();
  /** Both kinds, of each group. */
  readonly #perGroup = new Tally();

  /** `maxPerGroup`: seats and places in the queue, together, that one group may have. */
  constructor(limits: { max: number; maxWaiting: number; maxPerGroup: number }) {
    this.max = limits.max;
    this.maxWaiting = limits.maxWaiting;
    this.#maxPerGroup = limits.maxPerGroup;
  }

  get taken(): number {
    return this.#seated.size;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Seat the candidate, or queue it when it can wait, or leave it out. Nobody overtakes the queue. */
  request(candidate: Candidate, canWait: boolean): "seated" | "waiting" | "full" | "crowded" {
    if (this.#perGroup.count(candidate.group) >= this.#maxPerGroup) return "crowded";
    if (this.#seated.size < this.max && this.#waiting.size === 0) {
      this.#seated.add(candidate);
      this.#perGroup.add(candidate.group);
      candidate.onSeated();
      return "seated";
    }
    if (!canWait || this.#waiting.size >= this.maxWaiting) return "full";
    this.#waiting.add(candidate);
    this.#perGroup.add(candidate.group);
    candidate.onPosition(this.#waiting.size);
    return "waiting";
  }

  /** The seat of `before` is `after`'s from now on. */
  replace(before: Candidate, after: Candidate): void {
    if (!this.#seated.delete(before)) return;
    this.#perGroup.remove(before.group);
    this.#seated.add(after);
    this.#perGroup.add(after.group);
  }

  /** The candidate is gone, seated or waiting. No effect when it has neither. */
  release(candidate: Candidate): void {
    const position = [...this.#waiting].indexOf(candidate) + 1;
    if (this.#waiting.delete(candidate)) {
      this.#perGroup.remove(candidate.group);
      this.#tellFrom(position);
    } else if (this.#seated.delete(candidate)) {
      this.#perGroup.remove(candidate.group);
      this.#fill();
    }
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
