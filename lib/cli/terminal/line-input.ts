/** What a person did at the prompt. */
export type Input =
  | { readonly kind: "line"; readonly text: string }
  /** Ctrl-C; `text` is what had been typed. */
  | { readonly kind: "interrupt"; readonly text: string }
  /** Ctrl-D, the end of what was piped in, or a terminal that is gone. */
  | { readonly kind: "end"; readonly isGone?: boolean };

/** Lines, one after the other: typed at a prompt, or piped in. */
export abstract class LineInput {
  #onInterrupt: (() => void) | undefined;

  /** Show the prompt, where there is a terminal, and wait for what comes. */
  abstract next(prompt: string): Promise<Input>;

  /** As next(), for an answer: what was typed before the question is none. */
  ask(prompt: string): Promise<Input> {
    return this.next(prompt);
  }

  /** Ask for nothing more: who waits is told the end. Leaves the terminal as it was. */
  abstract close(): void;

  /** Tell Ctrl-C as input. */
  protected abstract tellInterrupt(): void;

  /** Ctrl-C, wherever it came from: cancels the work under way, or is told as input. */
  interrupt(): void {
    if (this.#onInterrupt === undefined) this.tellInterrupt();
    else this.#onInterrupt();
  }

  /** Do something that Ctrl-C ends. */
  async during<T>(onInterrupt: () => void, work: Promise<T>): Promise<T> {
    this.#onInterrupt = onInterrupt;
    try {
      return await work;
    } finally {
      this.#onInterrupt = undefined;
    }
  }
}
