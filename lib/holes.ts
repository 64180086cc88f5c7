import { BLOCK_BYTES, type Range } from "./block.ts";
import { ProtocolError } from "./errors.ts";
import { quote } from "./quote.ts";

/** The most holes of one file that are announced. Source: PROTOCOL.md, "Holes". */
export const MAX_HOLES = 1_000;

/** Bytes in these ranges. */
export function sumOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, [from, to]) => sum + to - from, 0);
}

/** Bytes in at least one of these ranges, which may overlap and come in any order. */
export function unionOf(ranges: readonly Range[]): number {
  let [bytes, end] = [0, 0];
  for (const [from, to] of ranges.toSorted((one, other) => one[0] - other[0])) {
    bytes += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return bytes;
}

export function hasHoles({ holes }: { readonly holes?: readonly Range[] | undefined }): boolean {
  return holes !== undefined && holes.length > 0;
}

/** The parts of `ranges` that are outside `holes`; both are in ascending order. */
export function withoutHoles(ranges: readonly Range[], holes: readonly Range[]): readonly Range[] {
  if (holes.length === 0) return ranges;
  const data: Range[] = [];
  let next = 0;
  for (const [start, to] of ranges) {
    let from = start;
    while (next < holes.length && (holes[next] as Range)[1] <= from) next++;
    for (let at = next; at < holes.length && from < to; at++) {
      const [holeFrom, holeTo] = holes[at] as Range;
      if (holeFrom >= to) break;
      if (holeFrom > from) data.push([from, holeFrom]);
      from = holeTo;
    }
    if (from < to) data.push([from, to]);
  }
  return data;
}

/**
 * Holes that a peer announces must be whole blocks of the file, in ascending order. @throws ProtocolError BAD_PAYLOAD
 */
export function checkHoles(path: string, size: number, holes: readonly Range[] = []): void {
  let before = 0;
  for (const [from, to] of holes) {
    const isWhole = from % BLOCK_BYTES === 0 && (to % BLOCK_BYTES === 0 || to === size);
    if (!isWhole || from < before || to <= from || to > size) {
      throw new ProtocolError("BAD_PAYLOAD", `${quote(path)} has no hole from ${from} to ${to}.`);
    }
    before = to;
  }
}

export function areSameRanges(a: readonly Range[] = [], b: readonly Range[] = []): boolean {
  return a.length === b.length && a.every(([from, to], at) => from === b[at]?.[0] && to === b[at]?.[1]);
}
