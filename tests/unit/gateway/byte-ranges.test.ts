import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type ByteRange, contentRange, MAX_RANGES, parseRange } from "../../../lib/gateway/byte-ranges.ts";

describe("a field Range", () => {
  const answers: [value: string | undefined, size: number, answer: ReturnType<typeof parseRange>][] = [
    [undefined, 20, "whole"],
    ["bytes=0-4", 20, [[0, 5]]],
    ["BYTES=0-4", 20, [[0, 5]]],
    ["bytes=5-", 20, [[5, 20]]],
    ["bytes=-3", 20, [[17, 20]]],
    ["bytes=-300", 20, [[0, 20]]],
    ["bytes=19-100", 20, [[19, 20]]],
    [
      "bytes=0-0, 2-2",
      20,
      [
        [0, 1],
        [2, 3],
      ],
    ],
    [
      "bytes=10-11,0-1",
      20,
      [
        [10, 12],
        [0, 2],
      ],
    ],
    [
      "bytes=0-4,5-9",
      20,
      [
        [0, 5],
        [5, 10],
      ],
    ],
    ["bytes=5-9,0-6", 20, [[0, 10]]],
    ["bytes=,,0-4,", 20, [[0, 5]]],
    ["bytes=30-40,0-1", 20, [[0, 2]]],
    ["bytes=20-", 20, "unsatisfiable"],
    ["bytes=-0", 20, "unsatisfiable"],
    ["bytes=0-", 0, "unsatisfiable"],
    ["bytes=-5", 0, "unsatisfiable"],
    ["bytes=99999999999999999999999-", 20, "unsatisfiable"],
    ["bytes=0-99999999999999999999999", 20, [[0, 20]]],
    ["bytes=5-4", 20, "whole"],
    ["bytes=a-b", 20, "whole"],
    ["bytes=-", 20, "whole"],
    ["bytes=", 20, "whole"],
    ["bytes=1-2-3", 20, "whole"],
    ["bytes=--5", 20, "whole"],
    ["bytes 0-4", 20, "whole"],
    ["lines=0-4", 20, "whole"],
  ];
  test.each(answers)("%p of %p bytes", (value, size, answer) => {
    expect(parseRange(value, size)).toEqual(answer);
  });

  test("with too many parts is not answered with them", () => {
    const of = (count: number) => `bytes=${Array.from({ length: count }, (_, index) => `${2 * index}-${2 * index}`)}`;
    expect(parseRange(of(MAX_RANGES), 100_000)).toHaveLength(MAX_RANGES);
    expect(parseRange(of(MAX_RANGES + 1), 100_000)).toBe("unsatisfiable");
    expect(parseRange(of(10_000), 100_000)).toBe("unsatisfiable");
  });

  test("asks for the same bytes as a naive reading of it, each once", () => {
    const spec = fc.oneof(
      fc.tuple(fc.nat(40), fc.nat(40)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const),
      fc.nat(40).map((from) => [from, undefined] as const),
      fc.nat(40).map((last) => [undefined, last] as const),
    );
    fc.assert(
      fc.property(fc.array(spec, { minLength: 1, maxLength: 8 }), fc.nat(30), (specs, size) => {
        const value = `bytes=${specs.map(([from, to]) => `${from ?? ""}-${to ?? ""}`).join(", ")}`;
        const bytes = new Set<number>();
        for (const [from, to] of specs) {
          const first = from ?? Math.max(0, size - (to ?? 0));
          const last = from === undefined ? size - 1 : (to ?? size - 1);
          for (let at = first; at <= last && at < size; at++) bytes.add(at);
        }
        const found = parseRange(value, size);
        if (bytes.size === 0) return expect(found).toBe("unsatisfiable");
        const told = (found as ByteRange[]).flatMap(([from, to]) =>
          Array.from({ length: to - from }, (_, at) => from + at),
        );
        expect(told.toSorted((a, b) => a - b)).toEqual([...bytes].toSorted((a, b) => a - b));
      }),
    );
  });

  test("is answered with the last byte in Content-Range", () => {
    expect(contentRange([0, 5], 20)).toBe("bytes 0-4/20");
  });

  test("of any text is answered", () => {
    fc.assert(fc.property(fc.string(), (text) => void parseRange(`bytes=${text}`, 20)));
  });
});
