import { BLOCK_BYTES, type Range } from "../block.ts";
import { areSameRanges, sumOf, withoutHoles } from "../holes.ts";
import type { FileFacts } from "./storage.ts";

/** The bytes of an unfinished file that have arrived. */
export class MemoryPart {
  readonly facts: FileFacts;
  readonly bytes: Uint8Array;
  readonly #present = new Set<number>();
  isTaken = true;

  constructor(facts: FileFacts) {
    this.facts = facts;
    this.bytes = new Uint8Array(facts.size);
  }

  /** Whether a file with these facts can resume it. */
  isOf({ etag, size, holes }: FileFacts): boolean {
    return this.facts.etag === etag && this.facts.size === size && areSameRanges(this.facts.holes, holes);
  }

  get missing(): Range[] {
    const { size, holes = [] } = this.facts;
    const ranges: [from: number, to: number][] = [];
    for (let from = 0; from < size; from += BLOCK_BYTES) {
      if (this.#present.has(from)) continue;
      const [last, to] = [ranges.at(-1), Math.min(size, from + BLOCK_BYTES)];
      if (last?.[1] === from) last[1] = to;
      else ranges.push([from, to]);
    }
    return [...withoutHoles(ranges, holes)];
  }

  get present(): number {
    return this.facts.size - sumOf(this.missing);
  }

  /** As PartFile.write(). */
  write(offset: number, bytes: Uint8Array): boolean {
    const isHole = this.facts.holes?.some(([from, to]) => from <= offset && offset < to);
    if (isHole || this.#present.has(offset)) return false;
    this.bytes.set(bytes, offset);
    this.#present.add(offset);
    return true;
  }
}
