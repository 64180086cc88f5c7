/** The parts of a file that a request asks for. Source: RFC 9110, section 14. */

/** Bytes from the first number up to, not including, the second. */
export type ByteRange = readonly [from: number, to: number];

/** The meaning of a Range field: no valid range, no existing bytes, or these parts in the order of the request. */
export type RangeAnswer = "whole" | "unsatisfiable" | readonly ByteRange[];

/** More parts get 416: each costs a head in the answer, and no honest client asks for so many. */
export const MAX_RANGES = 64;

/** One range: `0-499`, `500-`, or `-500` for the last 500 bytes. */
const RANGE = /^(?:(\d+)-(\d*)|-(\d+))$/;

/**
 * Read the value of Range for a representation of `size` bytes. An invalid value counts as absent (RFC 9110, 14.2).
 * Overlapping parts are merged into the fewest parts, in the order of the file (15.3.7.2).
 */
export function parseRange(value: string | undefined, size: number): RangeAnswer {
  if (value === undefined || !/^bytes=/i.test(value)) return "whole";
  const specs = value
    .slice("bytes=".length)
    .split(",")
    .map((spec) => spec.replace(/^[ \t]+|[ \t]+$/g, ""))
    .filter((spec) => spec !== "");
  if (specs.length === 0) return "whole";
  if (specs.length > MAX_RANGES) return specs.every((spec) => RANGE.test(spec)) ? "unsatisfiable" : "whole";
  const ranges: ByteRange[] = [];
  for (const spec of specs) {
    const [, first, last, suffix] = RANGE.exec(spec) ?? [];
    if (first === undefined && suffix === undefined) return "whole";
    const range = first === undefined ? lastBytes(Number(suffix), size) : fromTo(first, last, size);
    if (range === "invalid") return "whole";
    if (range !== undefined) ranges.push(range);
  }
  return ranges.length === 0 ? "unsatisfiable" : joined(ranges);
}

/** The value of Content-Range. */
export function contentRange([from, to]: ByteRange, size: number): string {
  return `bytes ${from}-${to - 1}/${size}`;
}

function lastBytes(count: number, size: number): ByteRange | undefined {
  return count === 0 || size === 0 ? undefined : [Math.max(0, size - count), size];
}

/** undefined if the file has none of these bytes. */
function fromTo(first: string, last: string | undefined, size: number): ByteRange | undefined | "invalid" {
  const from = Number(first);
  const end = last === undefined || last === "" ? Number.POSITIVE_INFINITY : Number(last);
  if (end < from) return "invalid";
  return from >= size ? undefined : [from, Math.min(end + 1, size)];
}

/** The ranges as they are, or merged if some overlap. */
function joined(ranges: readonly ByteRange[]): readonly ByteRange[] {
  const sorted = ranges.toSorted(([a], [b]) => a - b);
  const fewest: [number, number][] = [];
  let overlaps = false;
  for (const [from, to] of sorted) {
    const last = fewest.at(-1);
    if (last !== undefined && from < last[1]) {
      overlaps = true;
      last[1] = Math.max(last[1], to);
    } else fewest.push([from, to]);
  }
  return overlaps ? fewest : ranges;
}
