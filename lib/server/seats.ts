/** Who wants a seat. */
export interface Candidate {
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
  readonly #seated = new Set<Candidate>();
  /** In the order of arrival. */
  readonly #waiting = new Set<Candidate>();

  constructor(limits: { max: number; maxWaiting: number }) {
    this.max = limits.max;
    this.maxWaiting = limits.maxWaiting;
  }

  get taken(): number {
    return this.#seated.size;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Seat the candidate, or queue it when it can wait, or leave it out. Nobody overtakes the queue. */
  request(candidate: Candidate, canWait: boolean): "seated" | "waiting" | "full" {
    if (this.#seated.size < this.max && this.#waiting.size === 0) {
      this.#seated.add(candidate);
      candidate.onSeated();
      return "seated";
    }
    if (!canWait || this.#waiting.size >= this.maxWaiting) return "full";
    this.#waiting.add(candidate);
    candidate.onPosition(this.#waiting.size);
    return "waiting";
  }

  /** The seat of `before` is `after`'s from now on. */
  replace(before: Candidate, after: Candidate): void {
    if (this.#seated.delete(before)) this.#seated.add(after);
  }

  /** The candidate is gone, seated or waiting. No effect when it has neither. */
  release(candidate: Candidate): void {
    const position = [...this.#waiting].indexOf(candidate) + 1;
    if (this.#waiting.delete(candidate)) this.#tellFrom(position);
    else if (this.#seated.delete(candidate)) this.#fill();
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
