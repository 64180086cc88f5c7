import readline from "node:readline";
import { isInForeground } from "./foreground.ts";
import { type Input, LineInput } from "./line-input.ts";
import type { Region, Screen } from "./screen.ts";
import { onSignals } from "./signals.ts";

/** How often a job in the background looks whether it has its terminal back: no signal tells when it was not stopped. */
const FOREGROUND_CHECK_MS = 300;

export interface LineEditorOptions {
  readonly input: NodeJS.ReadStream;
  /** The terminal. */
  readonly output: NodeJS.WriteStream;
  readonly screen: Screen;
  /** Lines of earlier sessions, newest first. */
  readonly history: readonly string[];
  /** Endings for what was typed: the candidates and the part that they replace. */
  complete?(line: string): Promise<[string[], string]> | [string[], string];
}

/** A line at the bottom of a terminal, with editing and history: a region of the screen while it is asked for. */
export class LineEditor extends LineInput implements Region {
  readonly #readline: readline.Interface & { prevRows?: number };
  readonly #input: NodeJS.ReadStream;
  readonly #output: NodeJS.WriteStream;
  readonly #screen: Screen;
  readonly #inputs: Input[] = [];
  #deliver: ((input: Input) => void) | undefined;
  #hide: (() => void) | undefined;
  #ended = false;
  #isAway = false;
  readonly #stopListening: () => void;
  #foregroundCheck: ReturnType<typeof setInterval> | undefined;

  constructor(options: LineEditorOptions) {
    super();
    const { input, output, screen } = options;
    this.#input = input;
    this.#output = output;
    this.#screen = screen;
    // Before readline's own, which moves up by the rows that there were at the old width.
    const onResize = () => this.#noteRows(this.#readline.getCursorPos().rows);
    output.on("resize", onResize);
    const complete = options.complete?.bind(options);
    this.#readline = readline.createInterface({
      input,
      output,
      terminal: true,
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
    this.#readline.on("SIGTSTP", () => this.#suspend());
    this.#readline.on("close", () => this.#end());
    // The window was closed: reading fails in place of ending.
    const onError = () => this.#end();
    input.on("error", onError);
    const offSignals = onSignals(["SIGCONT"], () => this.#onContinued());
    this.#stopListening = () => {
      offSignals();
      output.off("resize", onResize);
      // What fails later still must not end the program.
      input.off("error", onError).on("error", () => {});
    };
  }

  protected override tellInterrupt(): void {
    const text = this.#readline.line;
    this.#output.write("^C\n");
    // Forget what was typed, without the redrawing that Ctrl-U would do on the line that has just begun.
    Object.assign(this.#readline, { line: "", cursor: 0 });
    this.#push({ kind: "interrupt", text });
  }

  override next(prompt: string): Promise<Input> {
    const waiting = this.#inputs.shift();
    if (waiting !== undefined) return Promise.resolve(waiting);
    if (this.#ended) return Promise.resolve({ kind: "end" });
    return new Promise((resolve) => {
      this.#deliver = resolve;
      this.#readline.setPrompt(prompt);
      this.#hide = this.#screen.show(this);
    });
  }

  erase(): void {
    if (this.#deliver === undefined || this.#isAway) return;
    const { rows } = this.#readline.getCursorPos();
    readline.moveCursor(this.#output, 0, -rows);
    readline.cursorTo(this.#output, 0);
    readline.clearScreenDown(this.#output);
    this.#noteRows(0);
  }

  draw(): void {
    if (this.#deliver === undefined || this.#isAway) return;
    this.#readline.prompt(true);
  }

  override close(): void {
    try {
      this.#readline.close();
    } catch {
      // A terminal that is gone keeps no modes: setting them failed, and nothing is left to restore.
    }
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    // The prompt stands on the screen: what comes next begins on a line of its own.
    if (this.#deliver !== undefined && !this.#isAway) this.#output.write("\n");
    this.#stopListening();
    clearInterval(this.#foregroundCheck);
    this.#push({ kind: "end" });
  }

  /** Ctrl-Z: the whole job stops, and the shell gets its terminal as it was. */
  #suspend(): void {
    this.#setRaw(false);
    process.kill(0, "SIGTSTP");
  }

  /** The shell has let us go on, before it or behind it: `fg` or `bg`. */
  #onContinued(): void {
    this.#isAway = !isInForeground();
    clearInterval(this.#foregroundCheck);
    if (this.#isAway) {
      // Reading a terminal of others would stop us.
      this.#readline.pause();
      this.#foregroundCheck = setInterval(() => {
        if (isInForeground()) this.#onContinued();
      }, FOREGROUND_CHECK_MS);
      this.#foregroundCheck.unref();
      return;
    }
    this.#setRaw(false);
    this.#setRaw(true);
    this.#readline.resume();
    this.#noteRows(0);
    this.draw();
  }

  #setRaw(on: boolean): void {
    try {
      this.#input.setRawMode(on);
    } catch {
      // gone: told by its end
    }
  }

  /** Rows above the cursor that readline takes for its own when it draws next. */
  #noteRows(rows: number): void {
    this.#readline.prevRows = rows;
  }

  #push(input: Input): void {
    const deliver = this.#deliver;
    this.#deliver = undefined;
    // What was typed stays where it is: there is nothing to erase any more.
    this.#hide?.();
    this.#hide = undefined;
    if (deliver !== undefined) deliver(input);
    else if (input.kind !== "end") this.#inputs.push(input);
  }
}
