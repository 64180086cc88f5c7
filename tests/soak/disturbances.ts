/** A client that began so shortly after one, or ended so shortly before it was noted, may still have felt it. */
const SLACK_MS = 500;

interface Disturbance {
  readonly what: string;
  readonly from: number;
  to: number;
}

/** When the server was away or drained: whoever was under way then may have lost it. */
export class Disturbances {
  readonly #all: Disturbance[] = [];

  /** It begins now. @returns what ends it */
  begin(what: string): () => void {
    const disturbance = { what, from: Date.now(), to: Number.POSITIVE_INFINITY };
    this.#all.push(disturbance);
    return () => {
      disturbance.to = Date.now();
    };
  }

  /** What disturbed something that ran from `from` to `to`; undefined: nothing. */
  during(from: number, to: number): string | undefined {
    return this.#all.findLast((one) => one.from <= to + SLACK_MS && one.to >= from - SLACK_MS)?.what;
  }

  /** Whether there was one of that kind since `from`. */
  since(what: string, from: number): boolean {
    return this.#all.some((one) => one.what === what && one.to >= from);
  }
}
