import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BLOCK_BYTES, type Range } from "../../lib/block.ts";
import { sumOf, withoutHoles } from "../../lib/holes.ts";
import { DataBlocks } from "../../lib/storage/local/data-blocks.ts";

/** Which blocks, in order, as ranges. */
function rangesOf(blocks: readonly boolean[], size: number): Range[] {
  return blocks.flatMap((is, at) => (is ? [[at * BLOCK_BYTES, Math.min(size, (at + 1) * BLOCK_BYTES)] as const] : []));
}

function blocksIn(ranges: readonly Range[], count: number): boolean[] {
  return Array.from({ length: count }, (_, at) =>
    ranges.some(([from, to]) => from <= at * BLOCK_BYTES && at * BLOCK_BYTES < to),
  );
}

const shape = fc
  .array(fc.record({ isHole: fc.boolean(), isWanted: fc.boolean() }), { minLength: 1, maxLength: 40 })
  .chain((blocks) => fc.record({ blocks: fc.constant(blocks), tail: fc.integer({ min: 1, max: BLOCK_BYTES }) }))
  .map(({ blocks, tail }) => ({ blocks, size: (blocks.length - 1) * BLOCK_BYTES + tail }));

describe("what is in no hole", () => {
  test("is each block that is wanted and in none, once, in order", () => {
    fc.assert(
      fc.property(shape, ({ blocks, size }) => {
        const wanted = rangesOf(
          blocks.map(({ isWanted }) => isWanted),
          size,
        );
        const holes = rangesOf(
          blocks.map(({ isHole }) => isHole),
          size,
        );
        const data = withoutHoles(wanted, holes);
        expect(blocksIn(data, blocks.length)).toEqual(blocks.map(({ isHole, isWanted }) => isWanted && !isHole));
        expect(data.every(([from, to], at) => from < to && from >= (data[at - 1]?.[1] ?? 0))).toBe(true);
      }),
    );
  });

  test("is counted without gaps, and each number leads back to its block", () => {
    fc.assert(
      fc.property(shape, ({ blocks, size }) => {
        const holes = rangesOf(
          blocks.map(({ isHole }) => isHole),
          size,
        );
        const data = new DataBlocks(size, holes);
        const numbers = blocks.map((_, at) => data.numberOf(at * BLOCK_BYTES));
        expect(numbers.filter((number) => number !== undefined)).toEqual(
          Array.from({ length: data.count }, (_, at) => at),
        );
        expect(numbers.map((number) => number === undefined)).toEqual(blocks.map(({ isHole }) => isHole));
        for (const [at, number] of numbers.entries()) {
          if (number === undefined) continue;
          expect(data.rangeOf(number)).toEqual([at * BLOCK_BYTES, Math.min(size, (at + 1) * BLOCK_BYTES)]);
        }
        expect(sumOf(data.runsOf(() => true))).toBe(size - sumOf(holes));
        const even = data.runsOf((number) => number % 2 === 0);
        expect(blocksIn(even, blocks.length)).toEqual(
          numbers.map((number) => number !== undefined && number % 2 === 0),
        );
        expect(data.numberOf(blocks.length * BLOCK_BYTES)).toBeUndefined();
      }),
    );
  });
});
