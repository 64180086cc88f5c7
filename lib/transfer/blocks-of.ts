import { BLOCK_BYTES, type Range } from "../block.ts";

/** Offset and length of each block in these ranges. */
export function* blocksOf(ranges: readonly Range[]): Generator<Range> {
  for (const [from, to] of ranges) {
    for (let offset = from; offset < to; offset += BLOCK_BYTES) yield [offset, Math.min(BLOCK_BYTES, to - offset)];
  }
}
