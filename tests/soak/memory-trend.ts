/** Above the first checkpoint of a life, which comes after a warm-up. */
const MAX_GROWTH = 40;
/** From so many checkpoints on a trend is one; what it may rise from the first third to the last. */
const MIN_POINTS = 9;
const MAX_RISE = 20;

/** Resident memory at the checkpoints of one life of a server, in megabytes. */
export class MemoryTrend {
  readonly #points: number[] = [];

  /** @returns what is wrong with it */
  note(megabytes: number): string | undefined {
    this.#points.push(megabytes);
    const points = this.#points;
    const [first = 0] = points;
    const shown = points.map((point) => point.toFixed(0)).join(" ");
    if (megabytes > first + MAX_GROWTH) return `${megabytes.toFixed(0)} MB, after ${first.toFixed(0)} MB: ${shown}`;
    if (points.length < MIN_POINTS) return undefined;
    const third = Math.floor(points.length / 3);
    const rise = median(points.slice(-third)) - median(points.slice(0, third));
    return rise > MAX_RISE ? `it rises, by ${rise.toFixed(0)} MB: ${shown}` : undefined;
  }
}

function median(points: readonly number[]): number {
  return points.toSorted((a, b) => a - b)[Math.floor(points.length / 2)] ?? 0;
}
