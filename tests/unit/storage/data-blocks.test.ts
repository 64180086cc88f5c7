/** Blocks of a file with holes, against counting them one by one. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { BLOCK_BYTES, type Range } from "../../../lib/block.ts";
import { DataBlocks } from "../../../lib/storage/local/data-blocks.ts";

/** Which blocks of a file are a hole, and how many bytes of its last block are there. */
const files = fc.record({
  isHole: fc.array(fc.boolean(), { maxLength: 12 }),
  lastBytes: fc.constantFrom(1, BLOCK_BYTES - 1, BLOCK_BYTES),
});

function fileOf({ isHole, lastBytes }: { isHole: boolean[]; lastBytes: number }) {
  const size = Math.max(0, (isHole.length - 1) * BLOCK_BYTES + (isHole.length > 0 ? lastBytes : 0));
  const all = isHole.map((_, at): Range => [at * BLOCK_BYTES, Math.min(size, (at + 1) * BLOCK_BYTES)]);
  const holes = joined(all.filter((_, at) => isHole[at]));
  return { size, holes, data: all.filter((_, at) => !isHole[at]), inHoles: all.filter((_, at) => isHole[at]) };
}

/** Ranges that touch made one. */
function joined(ranges: readonly Range[]): Range[] {
  const runs: [number, number][] = [];
  for (const [from, to] of ranges) {
    const last = runs.at(-1);
    if (last?.[1] === from) last[1] = to;
    else runs.push([from, to]);
  }
  return runs;
}

test("each block of data has its number and its place, and what is in a hole or outside has none", () => {
  fc.assert(
    fc.property(files, (file) => {
      const { size, holes, data, inHoles } = fileOf(file);
      const blocks = new DataBlocks(size, holes);
      expect(blocks.count).toBe(data.length);
      expect(data.map(([from]) => blocks.numberOf(from))).toEqual(data.map((_, number) => number));
      expect(data.map((_, number) => blocks.rangeOf(number))).toEqual(data);
      for (const [from] of inHoles) expect(blocks.numberOf(from)).toBeUndefined();
      for (const beyond of [size, size + BLOCK_BYTES]) expect(blocks.numberOf(beyond)).toBeUndefined();
    }),
  );
});

test("the runs of wanted blocks are as long as they can be, also where two wanted blocks touch across a hole's end", () => {
  fc.assert(
    fc.property(files, fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }), (file, isWanted) => {
      const { size, holes, data } = fileOf(file);
      const runs = new DataBlocks(size, holes).runsOf((number) => isWanted[number] === true);
      expect(runs).toEqual(joined(data.filter((_, number) => isWanted[number])));
    }),
  );
});
