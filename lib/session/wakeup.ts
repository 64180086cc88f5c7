/** Lets one loop wait until another one has changed something. */
export class Wakeup {
  #wake: (() => void) | undefined;
  #isDue = false;

  /** Something has changed. */
  notify(): void {
    this.#isDue = true;
    this.#wake?.();
  }

  /** Resolves at the next notify(), or at once when there was one since the last wait. Only one may wait at a time. */
  async wait(): Promise<void> {
    if (!this.#isDue) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#wake = undefined;
    this.#isDue = false;
  }
}
