/** Holes as the system could report them, against looking at each block. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BLOCK_BYTES, type Range } from "../../../lib/block.ts";
import { MAX_HOLES } from "../../../lib/holes.ts";
import { libc } from "../../../lib/platform/libc.ts";
import { findHoles } from "../../../lib/storage/local/find-holes.ts";

const BLOCK = BLOCK_BYTES;
const calls = libc();
const { seek } = calls;

/** Questions that were asked. */
let asked = 0;

/** The system says this of the next file; by default it can't tell. */
function says(answers: { hole?(at: number): number | undefined; data?(at: number): number | undefined }): void {
  const ask = (answer: ((at: number) => number | undefined) | undefined) => (_: number, at: number) => {
    asked++;
    return answer?.(at);
  };
  Object.assign(calls, { seek: { hole: ask(answers.hole), data: ask(answers.data) } });
}

/** A file of which these ranges are data. */
function saysData(size: number, data: readonly Range[]): void {
  says({
    hole: (at) => {
      let end = at;
      for (const [from, to] of data) if (from <= end && end < to) end = to;
      return Math.min(size, end);
    },
    data: (at) => {
      const next = data.find(([, to]) => to > at);
      return next === undefined ? Number.POSITIVE_INFINITY : Math.max(at, next[0]);
    },
  });
}

beforeEach(() => {
  asked = 0;
});

afterEach(() => void Object.assign(calls, { seek }));

describe("the holes of a file", () => {
  test("are its blocks without any data, as few ranges as there can be", () => {
    const places = fc.array(fc.tuple(fc.nat(8 * 4), fc.integer({ min: 1, max: 10 })), { maxLength: 6 });
    fc.assert(
      fc.property(places, fc.integer({ min: 1, max: 8 * 4 }), fc.boolean(), (all, quarters, isOdd) => {
        const size = (quarters * BLOCK) / 4 + (isOdd ? 1 : 0);
        const data: [number, number][] = [];
        for (const [from, length] of all.toSorted(([one], [other]) => one - other)) {
          const range: [number, number] = [(from * BLOCK) / 4, Math.min(size, ((from + length) * BLOCK) / 4)];
          const last = data.at(-1);
          if (range[0] >= range[1]) continue;
          if (last !== undefined && range[0] <= last[1]) last[1] = Math.max(last[1], range[1]);
          else data.push(range);
        }
        const expected: [number, number][] = [];
        for (let from = 0; from < size; from += BLOCK) {
          const to = Math.min(size, from + BLOCK);
          if (data.some(([start, end]) => start < to && end > from)) continue;
          const last = expected.at(-1);
          if (last?.[1] === from) last[1] = to;
          else expected.push([from, to]);
        }
        saysData(size, data);
        expect(findHoles(0, size)).toEqual(expected);
      }),
    );
  });

  test("are the largest where there are more than may be told, in order", () => {
    const size = 5_000 * BLOCK;
    // A block of data behind each hole; each second hole has two blocks.
    const data = Array.from({ length: 2_000 }, (_, at): Range => {
      const end = Math.floor(at / 2) * 5 * BLOCK + (at % 2 === 0 ? 2 : 5) * BLOCK;
      return [end - BLOCK, end];
    });
    saysData(size, data);
    const holes = findHoles(0, size);
    expect(holes).toEqual(Array.from({ length: MAX_HOLES }, (_, at) => [(at * 5 + 2) * BLOCK, (at * 5 + 4) * BLOCK]));
  });

  test("are none where the system has no such call, or can't tell", () => {
    says({});
    expect(findHoles(0, 4 * BLOCK)).toEqual([]);
    says({ hole: () => 0 });
    expect(findHoles(0, 4 * BLOCK)).toEqual([]);
    Object.assign(calls, { seek: undefined });
    expect(findHoles(0, 4 * BLOCK)).toEqual([]);
  });

  test("end where the file ended when it was opened, though it grows meanwhile", () => {
    const size = 3 * BLOCK + 5;
    saysData(10 * BLOCK, [[size, 10 * BLOCK]]);
    expect(findHoles(0, size)).toEqual([[0, size]]);
    saysData(10 * BLOCK, [[0, size]]);
    expect(findHoles(0, size)).toEqual([]);
  });

  test("take at most 16 384 system calls, and what lies after counts as data", () => {
    const size = 2 ** 43;
    says({ hole: (at) => at, data: (at) => at + BLOCK });
    expect(findHoles(0, size)).toHaveLength(MAX_HOLES);
    expect(asked).toBe(16_384);
  });

  test("are not asked for again and again where the system says of a hole that it is data", () => {
    says({ hole: (at) => at, data: (at) => at });
    expect(findHoles(0, 4 * BLOCK)).toEqual([]);
    expect(asked).toBeLessThan(10);
  });
});
