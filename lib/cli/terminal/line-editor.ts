import readline from "node:readline";
import { EditorOutput } from "./editor-output.ts";
import { isInForeground } from "./foreground.ts";
import { type Input, LineInput } from "./line-input.ts";
import { isDumb, type Region, type Screen } from "./screen.ts";
import { onSignals } from "./signals.ts";
import { TtyInput } from "./tty-input.ts";

/** How often a background job checks whether it has its terminal back: without a stop, no signal announces that. */
const FOREGROUND_CHECK_MS = 300;

export interface LineEditorOptions {
  readonly input: NodeJS.ReadStream;
  /** The terminal. */
  readonly output: NodeJS.WriteStream;
  readonly screen: Screen;
  /** Lines of earlier sessions, newest first. */
  readonly history: readonly string[];
  /** Completions for the typed text: the candidates and the part that they replace. */
  complete?(line: string): Promise<[string[], string]> | [string[], string];
}

/** A line at the bottom of a terminal, with editing and history: a region of the screen while it is asked for. */
export class LineEditor extends LineInput implements Region {
  readonly #readline: readline.Interface & { prevRows?: number };
  readonly #input: TtyInput;
  readonly #output: NodeJS.WriteStream;
  readonly #screen: Screen;
  readonly #inputs: Input[] = [];
  #deliver: ((input: Input) => void) | undefined;
  #hide: (() => void) | undefined;
  #ended: (Input & { kind: "end" }) | undefined;
  #isAway = false;
  /**
   * Ctrl-Z was pressed. Both the return from the stop and a signal say that the program continues: handle the first
   * only.
   */
  #isSuspended = false;
  readonly #stopListening: () => void;
  #foregroundCheck: ReturnType<typeof setInterval> | undefined;

  constructor(options: LineEditorOptions) {
    super();
    const { output, screen } = options;
    this.#output = output;
    this.#screen = screen;
    this.#input = new TtyInput(options.input, () => this.#end({ kind: "end", isGone: true }));
    const echo = new EditorOutput(output, () => this.#isShown);
    // Before readline's own listener, which moves up by the rows at the old width.
    echo.on("resize", () => this.#noteRows(this.#rowsAbove()));
    const complete = options.complete?.bind(options);
    this.#readline = readline.createInterface({
      input: this.#input,
      output: echo,
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
    this.#readline.on("SIGTSTP", () => {
      if (!this.detach()) this.#suspend();
    });
    this.#readline.on("close", () => this.#end({ kind: "end" }));
    const offSignals = onSignals(["SIGCONT"], () => {
      if (!this.#isSuspended) this.#onContinued();
      this.#isSuspended = false;
    });
    this.#stopListening = () => {
      offSignals();
      this.#input.release();
      echo.release();
    };
  }

  /** True while a line is asked for, unless other programs have the screen. */
  get #isShown(): boolean {
    return this.#deliver !== undefined && !this.#isAway;
  }

  protected override tellInterrupt(): void {
    const text = this.#readline.line;
    this.#output.write("^C\n");
    // Forget the typed text, without the redraw that Ctrl-U would do on the line that has just begun.
    Object.assign(this.#readline, { line: "", cursor: 0 });
    this.#push({ kind: "interrupt", text });
  }

  override next(prompt: string): Promise<Input> {
    const waiting = this.#inputs.shift();
    if (waiting === undefined) return this.ask(prompt);
    // The line was not shown when it was typed.
    if (waiting.kind === "line") this.#screen.print(() => this.#output.write(`${prompt}${waiting.text}\n`));
    return Promise.resolve(waiting);
  }

  override ask(prompt: string): Promise<Input> {
    if (this.#ended !== undefined) return Promise.resolve(this.#ended);
    // An earlier caller no longer waits: its work was interrupted.
    this.#hide?.();
    return new Promise((resolve) => {
      this.#deliver = resolve;
      this.#readline.setPrompt(prompt);
      // Text that was typed while no line was asked for is not on the screen yet.
      this.#noteRows(0);
      this.#hide = this.#screen.show(this);
    });
  }

  override reprompt(prompt: string): void {
    // With the old prompt, since its rows are on the screen.
    this.erase();
    this.#readline.setPrompt(prompt);
    this.draw();
  }

  erase(): void {
    if (!this.#isShown) return;
    if (isDumb()) return void this.#output.write("\n");
    readline.moveCursor(this.#output, 0, -this.#rowsAbove());
    readline.cursorTo(this.#output, 0);
    readline.clearScreenDown(this.#output);
    this.#noteRows(0);
  }

  draw(): void {
    if (this.#isShown) this.#readline.prompt(true);
  }

  override close(): void {
    this.#readline.close();
  }

  #end(end: Input & { kind: "end" }): void {
    if (this.#ended !== undefined) return;
    this.#ended = end;
    // The prompt is on the screen: what comes next begins on a line of its own.
    if (this.#isShown) this.#output.write("\n");
    this.#stopListening();
    clearInterval(this.#foregroundCheck);
    this.#push(end);
  }

  /**
   * Ctrl-Z: the whole job stops, and the shell gets its terminal as it was. Where no shell could continue us (`ssh -t`,
   * `docker run -t`, a window of its own) the system does not stop us, and no signal follows.
   */
  #suspend(): void {
    this.#isSuspended = true;
    this.#input.setRawMode(false);
    process.kill(0, "SIGTSTP");
    this.#onContinued();
  }

  /** The shell has continued us, in the foreground or the background: `fg` or `bg`. */
  #onContinued(): void {
    this.#isAway = !isInForeground();
    clearInterval(this.#foregroundCheck);
    if (this.#isAway) {
      // Reading a terminal that others use would stop us.
      this.#readline.pause();
      this.#foregroundCheck = setInterval(() => {
        if (isInForeground()) this.#onContinued();
      }, FOREGROUND_CHECK_MS);
      this.#foregroundCheck.unref();
      return;
    }
    this.#input.setRawMode(false);
    this.#input.setRawMode(true);
    this.#readline.resume();
    this.#noteRows(0);
    this.draw();
  }

  /**
   * Rows of the line above the cursor, as drawn or as the window's new width would wrap them. Some terminals wrap the
   * line again and some don't: it is better to leave a row of the line than to erase a row of a message.
   */
  #rowsAbove(): number {
    return Math.min(this.#readline.prevRows ?? 0, this.#readline.getCursorPos().rows);
  }

  /** Set the rows above the cursor that readline will redraw as its own. */
  #noteRows(rows: number): void {
    this.#readline.prevRows = rows;
  }

  #push(input: Input): void {
    const deliver = this.#deliver;
    this.#deliver = undefined;
    // The typed text stays where it is, and must not be erased any more.
    this.#hide?.();
    this.#hide = undefined;
    if (deliver !== undefined) deliver(input);
    else if (input.kind !== "end") this.#inputs.push(input);
  }
}
