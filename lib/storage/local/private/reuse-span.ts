/** How long a result is reused: thousands of files of a tree come and go in that time. */
const REUSE_MS = 50;

/** A span in which results may be reused. It begins with the first look-up, and ends for all of them. */
export class ReuseSpan {
  readonly #onEnd: () => void;
  /** A timer is cheaper than reading the clock for each of thousands of files. */
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  /** Something was looked up. */
  begin(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#onEnd();
    }, REUSE_MS);
    this.#timer.unref();
  }
}
