import readline from "node:readline";

/** What a person did at the prompt. */
export type Input =
  | { readonly kind: "line"; readonly text: string }
  /** Ctrl-C; `text` is what had been typed. */
  | { readonly kind: "interrupt"; readonly text: string }
  /** Ctrl-D, or the end of what was piped in. */
  | { readonly kind: "end" };

export interface LineEditorOptions {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  /** Lines of earlier sessions, newest first. */
  readonly history: readonly string[];
  /** Endings for what was typed: the candidates and the part that they replace. */
  complete?(line: string): Promise<[string[], string]> | [string[], string];
}

/**
 * A line of input with editing and history, and output that never tears it. Without a terminal it reads
 * plain lines and shows no prompt.
 */
export class LineEditor {
  readonly #readline: readline.Interface;
  readonly #output: NodeJS.WriteStream;
  readonly #terminal: boolean;
  readonly #inputs: Input[] = [];
  #deliver: ((input: Input) => void) | undefined;
  #ended = false;
  #onInterrupt: (() => void) | undefined;

  constructor(options: LineEditorOptions) {
    this.#output = options.output;
    this.#terminal = options.input.isTTY === true && options.output.isTTY === true;
    const complete = options.complete?.bind(options);
    this.#readline = readline.createInterface({
      input: options.input,
      output: options.output,
      terminal: this.#terminal,
      history: [...options.history],
      historySize: 500,
      removeHistoryDuplicates: true,
      ...(complete && {
        completer: (line: string, callback: (error: null, result: [string[], string]) => void) => {
          Promise.resolve(complete(line)).then(
            (result) => callback(null, result),
            () => callback(null, [[], line]),
          );
        },
      }),
    });
    this.#readline.on("line", (text) => this.#push({ kind: "line", text }));
    this.#readline.on("SIGINT", () => this.interrupt());
    this.#readline.on("close", () => {
      this.#ended = true;
      this.#push({ kind: "end" });
    });
  }

  /** Ctrl-C, wherever it came from: cancels the work under way, or is told as input. */
  interrupt(): void {
    if (this.#onInterrupt !== undefined) {
      this.#onInterrupt();
      return;
    }
    const text = this.#readline.line;
    if (this.#terminal) {
      this.#output.write("^C\n");
      // Forget what was typed, without the redrawing that Ctrl-U would do on the line that has just begun.
      Object.assign(this.#readline, { line: "", cursor: 0 });
    }
    this.#push({ kind: "interrupt", text });
  }

  /** Show the prompt and wait for what the person does. */
  next(prompt: string): Promise<Input> {
    const waiting = this.#inputs.shift();
    if (waiting !== undefined) return Promise.resolve(waiting);
    if (this.#ended) return Promise.resolve({ kind: "end" });
    return new Promise((resolve) => {
      this.#deliver = resolve;
      if (!this.#terminal) return;
      this.#readline.setPrompt(prompt);
      this.#readline.prompt();
    });
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

  /** Show lines above the one that is being typed, which stays as it is. */
  print(text: string): void {
    if (!this.#terminal || this.#deliver === undefined) {
      this.#output.write(`${text}\n`);
      return;
    }
    const { rows } = this.#readline.getCursorPos();
    readline.moveCursor(this.#output, 0, -rows);
    readline.cursorTo(this.#output, 0);
    readline.clearScreenDown(this.#output);
    this.#output.write(`${text}\n`);
    this.#readline.prompt(true);
  }

  close(): void {
    this.#onInterrupt = undefined;
    this.#readline.close();
  }

  #push(input: Input): void {
    const deliver = this.#deliver;
    this.#deliver = undefined;
    if (deliver !== undefined) deliver(input);
    else if (input.kind !== "end") this.#inputs.push(input);
  }
}
