/** Above the first checkpoint of a life, which comes after a warm-up. Between two collections of garbage it is up to 40. */
const MAX_GROWTH = 55;
/** From so many windows on a trend is one; what the floor may rise from the first third to the last. */
const MIN_WINDOWS = 12;
const MAX_RISE = 10;

/**
 * Resident memory of one life of a server, in megabytes. It goes up and down with what is not collected yet, and idle
 * servers do not collect: what tells is the floor, the least of a window from one checkpoint to the next.
 */
export class MemoryTrend {
  #first: number | undefined;
  #floor = Number.POSITIVE_INFINITY;
  readonly #floors: number[] = [];

  /** At any moment. */
  sample(megabytes: number): void {
    this.#floor = Math.min(this.#floor, megabytes);
  }

  /** At a checkpoint. @returns what is wrong */
  note(megabytes: number): string | undefined {
    this.sample(megabytes);
    // The first window is the warm-up.
    if (this.#first !== undefined) this.#floors.push(this.#floor);
    this.#floor = Number.POSITIVE_INFINITY;
    this.#first ??= megabytes;
    const shown = this.#floors.map((floor) => floor.toFixed(0)).join(" ");
    if (megabytes > this.#first + MAX_GROWTH) {
      return `${megabytes.toFixed(0)} MB, and ${this.#first.toFixed(0)} MB at first; least of each window: ${shown}`;
    }
    if (this.#floors.length < MIN_WINDOWS) return undefined;
    const third = Math.floor(this.#floors.length / 3);
    const rise = Math.min(...this.#floors.slice(-third)) - Math.min(...this.#floors.slice(0, third));
    return rise > MAX_RISE ? `it rises, by ${rise.toFixed(0)} MB; least of each window: ${shown}` : undefined;
  }
}
