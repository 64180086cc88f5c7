/** How long what was looked up stands: files of a tree come and go by thousands in it. */
const REUSE_MS = 50;

/**
 * A while in which what was looked up may be used again. It begins with the first look-up, and ends for all of them.
 */
export class ReuseSpan {
  readonly #onEnd: () => void;
  /** A timer, so that nobody looks at a clock for each file of thousands. */
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
