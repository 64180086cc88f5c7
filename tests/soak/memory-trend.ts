import type { Collected } from "./collected.ts";

/**
 * No moment may have more, in megabytes: 67 of an idle server, 80 more for three sessions that do their worst and about
 * 2 for each further seat (SECURITY.md), and up to 50 that wait for the collector (84 to 155 were measured in a healthy
 * server).
 */
const MAX_PEAK = 212;
/**
 * So many looks, one a minute, are not judged: what a collection leaves still rises then, as code is compiled and tables
 * grow to their size (16 MB of heap after 4 minutes, 17, 19, 19, and 21 to 23 in the end).
 */
const WARM_UP = 8;

/** How fast what is left may grow, and from how many looks on that is told from chance. */
interface Rule {
  readonly what: string;
  readonly minLooks: number;
  readonly maxPerMinute: number;
}

/** 21 to 23 MB were measured over 40 minutes. */
const HEAP: Rule = { what: "heap", minLooks: 6, maxPerMinute: 0.75 };
/** 104 to 119 MB were measured: it needs more looks. */
const RESIDENT: Rule = { what: "resident memory", minLooks: 16, maxPerMinute: 0.75 };

/** Memory of one life of a server. */
export class MemoryTrend {
  readonly #looks: { minute: number; collected: Collected }[] = [];
  #isPeakTold = false;

  /** Resident megabytes at any moment. @returns what is wrong; a peak is told once */
  sample(megabytes: number): string | undefined {
    // It is NaN of a server that has just been killed, and has no memory any more.
    if (!(megabytes > MAX_PEAK) || this.#isPeakTold) return undefined;
    this.#isPeakTold = true;
    return `${megabytes.toFixed(0)} MB, more than ${MAX_PEAK}`;
  }

  /** What a collection has left, so many minutes after some moment. @returns what is wrong */
  note(minute: number, collected: Collected): string | undefined {
    this.#looks.push({ minute, collected });
    return (
      this.#fault(HEAP, ({ heapMegabytes }) => heapMegabytes) ??
      this.#fault(RESIDENT, ({ rssMegabytes }) => rssMegabytes)
    );
  }

  /** For people: what each collection has left. */
  toString(): string {
    const tell = ({ heapMegabytes, rssMegabytes }: Collected) =>
      `${heapMegabytes.toFixed(1)} of ${rssMegabytes.toFixed(0)}`;
    return this.#looks.map(({ collected }) => tell(collected)).join(", ");
  }

  #fault({ what, minLooks, maxPerMinute }: Rule, of: (collected: Collected) => number): string | undefined {
    const points = this.#looks.slice(WARM_UP).map(({ minute, collected }) => [minute, of(collected)] as const);
    if (points.length < minLooks) return undefined;
    const slope = slopeOf(points);
    if (slope <= maxPerMinute) return undefined;
    return `${what} after collections rises by ${slope.toFixed(2)} MB a minute: ${this}`;
  }
}

/** Of the line that lies nearest to all points (least squares). */
function slopeOf(points: readonly (readonly [number, number])[]): number {
  const mean = (of: (point: readonly [number, number]) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean(([at]) => at), mean(([, value]) => value)];
  return mean(([at, value]) => (at - x) * (value - y)) / mean(([at]) => (at - x) ** 2);
}
