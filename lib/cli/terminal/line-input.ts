/** What a person did at the prompt. */
export type Input =
  | {
      readonly kind: "line";
      /** May have several lines, from a paste or by Alt-Enter. */
      readonly text: string;
      /** Some of it was pasted. */
      readonly isPasted?: boolean;
    }
  /** Ctrl-C; `text` is what had been typed. */
  | { readonly kind: "interrupt"; readonly text: string }
  /** Ctrl-D, the end of piped input, or a terminal that is gone. */
  | { readonly kind: "end"; readonly isGone?: boolean };

/** Lines, one after the other: typed at a prompt, or piped in. */
export abstract class LineInput {
  #onInterrupt: (() => void) | undefined;
  #onDetach: (() => void) | undefined;

  /** Show the prompt, if there is a terminal, and wait for the next input. */
  abstract next(prompt: string): Promise<Input>;

  /** Show another prompt before the line that is asked for. */
  reprompt(_prompt: string): void {}

  /** As next(), for an answer: text typed before the question does not count. */
  ask(prompt: string): Promise<Input> {
    return this.next(prompt);
  }

  /** Ask for nothing more: a waiting caller gets "end". Leaves the terminal as it was. */
  abstract close(): void;

  /** Report Ctrl-C as input. */
  protected abstract tellInterrupt(): void;

  /** Ctrl-C, wherever it came from: cancels the work under way, or is reported as input. */
  interrupt(): void {
    if (this.#onInterrupt === undefined) this.tellInterrupt();
    else this.#onInterrupt();
  }

  /** Call `handler` at Ctrl-Z instead of stopping the program, until the returned function is called. */
  onDetach(handler: () => void): () => void {
    this.#onDetach = handler;
    return () => {
      if (this.#onDetach === handler) this.#onDetach = undefined;
    };
  }

  /** Ctrl-Z. @returns false when nothing wants it */
  protected detach(): boolean {
    this.#onDetach?.();
    return this.#onDetach !== undefined;
  }

  /** Wait for work that Ctrl-C ends. */
  async during<T>(onInterrupt: () => void, work: Promise<T>): Promise<T> {
    this.#onInterrupt = onInterrupt;
    try {
      return await work;
    } finally {
      this.#onInterrupt = undefined;
    }
  }
}
