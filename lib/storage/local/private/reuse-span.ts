/** How long a result is used again: thousands of files of a tree come and go in that time. */
const REUSE_MS = 50;

/**
 * A span in which results may be used again. It begins with the first look-up, and ends for all of them.
 */
export class ReuseSpan {
  readonly #onEnd: () => void;
  /** A timer, so that nobody reads a clock for each of thousands of files. */
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
