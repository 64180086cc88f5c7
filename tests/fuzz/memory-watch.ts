import type { Findings } from "./finding.ts";

/** Growth between checkpoints that is no leak: caches, code, what the collector leaves for later. */
const MAX_HEAP_GROWTH = 96 * 1024 * 1024;
const MAX_RSS_GROWTH = 400 * 1024 * 1024;
/** Checkpoints before the one that the others are compared with. */
const WARM_UP = 2;

/** Compares the memory of this process at checkpoints, when nothing is under way. */
export class MemoryWatch {
  readonly #findings: Findings;
  #checkpoints = 0;
  #first = { heap: 0, rss: 0 };
  readonly worst = { heap: 0, rss: 0 };

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  checkpoint(): void {
    Bun.gc(true);
    const { heapUsed: heap, rss } = process.memoryUsage();
    this.worst.heap = Math.max(this.worst.heap, heap);
    this.worst.rss = Math.max(this.worst.rss, rss);
    if (++this.#checkpoints <= WARM_UP) {
      this.#first = { heap, rss };
      return;
    }
    const [grown, grownRss] = [heap - this.#first.heap, rss - this.#first.rss];
    if (grown <= MAX_HEAP_GROWTH && grownRss <= MAX_RSS_GROWTH) return;
    this.#findings.add("memory", `has grown by ${grown} bytes of heap and ${grownRss} in all`);
    this.#first = { heap, rss };
  }
}
