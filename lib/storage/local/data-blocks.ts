import { BLOCK_BYTES, type Range } from "../../block.ts";
import { withoutHoles } from "../../holes.ts";

/**
 * The blocks of a file that are in no hole, numbered from 0 on, so that holes need no space where something is kept for
 * each block.
 */
export class DataBlocks {
  readonly count: number;
  readonly #ranges: readonly Range[];
  /** Number of the first block of each range. */
  readonly #firsts: number[] = [];

  constructor(size: number, holes: readonly Range[] = []) {
    this.#ranges = withoutHoles(size > 0 ? [[0, size]] : [], holes);
    let count = 0;
    for (const [from, to] of this.#ranges) {
      this.#firsts.push(count);
      count += Math.ceil((to - from) / BLOCK_BYTES);
    }
    this.count = count;
  }

  /** Number of the block at `offset`; undefined in a hole and outside of the file. */
  numberOf(offset: number): number | undefined {
    const at = lastAtMost(this.#ranges.length, (index) => (this.#ranges[index] as Range)[0] <= offset);
    const range = this.#ranges[at];
    if (range === undefined || offset >= range[1]) return undefined;
    return (this.#firsts[at] as number) + (offset - range[0]) / BLOCK_BYTES;
  }

  /** The range of the block with this number. */
  rangeOf(number: number): Range {
    const at = lastAtMost(this.#firsts.length, (index) => (this.#firsts[index] as number) <= number);
    const [start, end] = this.#ranges[at] as Range;
    const from = start + (number - (this.#firsts[at] as number)) * BLOCK_BYTES;
    return [from, Math.min(end, from + BLOCK_BYTES)];
  }

  /** Runs of blocks for which `isWanted` is true. */
  runsOf(isWanted: (number: number) => boolean): Range[] {
    const runs: [number, number][] = [];
    for (const [at, [start, end]] of this.#ranges.entries()) {
      let number = this.#firsts[at] as number;
      for (let from = start; from < end; from += BLOCK_BYTES, number++) {
        if (!isWanted(number)) continue;
        const to = Math.min(end, from + BLOCK_BYTES);
        const last = runs.at(-1);
        if (last?.[1] === from) last[1] = to;
        else runs.push([from, to]);
      }
    }
    return runs;
  }
}

/**
 * The last index for which `fits` is true; it is true up to some index, and false after it. -1 when it is never true.
 */
function lastAtMost(length: number, fits: (index: number) => boolean): number {
  let low = 0;
  for (let high = length; low < high; ) {
    const middle = (low + high) >> 1;
    if (fits(middle)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
