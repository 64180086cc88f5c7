import type { Completion } from "./completion.ts";
import { EditLine, type Key } from "./edit-line.ts";
import { KeyQuestion, type Mode, SearchMode } from "./editor-modes.ts";
import { EditorOutput } from "./editor-output.ts";
import { LineHistory } from "./line-history.ts";
import { type Input, LineInput } from "./line-input.ts";
import { columnsOf, isDumb, type Region, type Screen } from "./screen.ts";
import { TabCompleter } from "./tab-completer.ts";
import { TerminalHold } from "./terminal-hold.ts";
import { TtyInput } from "./tty-input.ts";

const MAX_HISTORY = 500;

export interface LineEditorOptions {
  readonly input: NodeJS.ReadStream;
  /** The terminal. */
  readonly output: NodeJS.WriteStream;
  readonly screen: Screen;
  /** Lines of earlier sessions, newest first. */
  readonly history: readonly string[];
  /** What may stand in the place of the end of the typed text. */
  complete?(line: string): Promise<Completion> | Completion;
}

/** A line at the bottom of a terminal, with editing and history: a region of the screen while it is asked for. */
export class LineEditor extends LineInput implements Region {
  readonly #line: EditLine;
  readonly #input: TtyInput;
  readonly #output: NodeJS.WriteStream;
  readonly #screen: Screen;
  readonly #history: LineHistory;
  readonly #tab: TabCompleter | undefined;
  readonly #inputs: Input[] = [];
  #deliver: ((input: Input) => void) | undefined;
  #hide: (() => void) | undefined;
  #ended: (Input & { kind: "end" }) | undefined;
  #prompt = "";
  /** An answer is asked for, not a line. */
  #isQuestion = false;
  #mode: Mode | undefined;
  #isPasted = false;
  readonly #hold: TerminalHold;
  readonly #stopListening: () => void;

  constructor({ input, output, screen, history, complete }: LineEditorOptions) {
    super();
    this.#output = output;
    this.#screen = screen;
    this.#history = new LineHistory(history, MAX_HISTORY);
    this.#input = new TtyInput(input, () => this.#end({ kind: "end", isGone: true }));
    const echo = new EditorOutput(output, () => this.#isShown);
    this.#line = new EditLine({
      input: this.#input,
      output: echo,
      onKey: (key) => this.#onKey(key),
      onInterrupt: () => this.interrupt(),
      onSuspend: () => {
        if (!this.detach()) this.#hold.suspend();
      },
      onClose: () => this.#end({ kind: "end" }),
    });
    this.#tab =
      complete &&
      new TabCompleter({
        line: this.#line,
        complete,
        size: () => ({ columns: columnsOf(output), rows: output.rows || 24 }),
        print: (lines) => this.#screen.print(() => this.#output.write(lines)),
        ask: (question, onYes) => this.#enter(new KeyQuestion(question, this.#line.place, onYes)),
      });
    this.#hold = new TerminalHold({
      input: this.#input,
      output,
      onAway: () => this.#line.pause(),
      onBack: () => {
        this.#line.resume();
        this.#line.noteRows(0);
        this.draw();
      },
    });
    this.#stopListening = () => {
      for (const each of [this.#hold, this.#input, echo]) each.release();
    };
  }

  /** True while a line is asked for, unless other programs have the screen. */
  get #isShown(): boolean {
    return this.#deliver !== undefined && !this.#hold.isAway;
  }

  protected override tellInterrupt(): void {
    const { text } = this.#line;
    this.#isPasted = false;
    this.#history.leave();
    this.#line.finish("^C");
    this.#push({ kind: "interrupt", text });
  }

  override next(prompt: string): Promise<Input> {
    const waiting = this.#inputs.shift();
    if (waiting === undefined) return this.#ask(prompt, false);
    // The line was not shown when it was typed.
    if (waiting.kind === "line") this.#screen.print(() => this.#output.write(`${prompt}${waiting.text}\n`));
    return Promise.resolve(waiting);
  }

  override ask(prompt: string): Promise<Input> {
    return this.#ask(prompt, true);
  }

  #ask(prompt: string, isQuestion: boolean): Promise<Input> {
    if (this.#ended !== undefined) return Promise.resolve(this.#ended);
    // An earlier caller no longer waits: its work was interrupted.
    this.#hide?.();
    return new Promise((resolve) => {
      this.#deliver = resolve;
      this.#isQuestion = isQuestion;
      this.#mode = undefined;
      this.#prompt = prompt;
      this.#line.prompt = prompt;
      // Text that was typed while no line was asked for is not on the screen yet.
      this.#line.noteRows(0);
      this.#hide = this.#screen.show(this);
    });
  }

  override reprompt(prompt: string): void {
    this.#prompt = prompt;
    if (this.#mode !== undefined) return;
    // With the old prompt, since its rows are on the screen.
    this.erase();
    this.#line.prompt = prompt;
    this.draw();
  }

  erase(): void {
    if (!this.#isShown) return;
    if (isDumb()) return void this.#output.write("\n");
    const rows = this.#line.rowsAbove;
    this.#output.write(`${rows > 0 ? `\u001b[${rows}A` : ""}\u001b[1G\u001b[0J`);
    this.#line.noteRows(0);
  }

  draw(): void {
    if (this.#isShown) this.#line.draw();
  }

  override close(): void {
    this.#line.close();
  }

  /** @returns true when the key is dealt with, and no key of the line */
  #onKey(key: Key): boolean {
    const { text, name, ctrl, meta } = key;
    const isEnter = name === "return" || name === "enter";
    const isEnd = ctrl && name === "d" && this.#line.text === "";
    // Such a terminal shows what is typed, and nothing else.
    if (isDumb() && !isEnter && !isEnd) return false;
    if (this.#mode !== undefined) return this.#inMode(this.#mode, key);
    if (name !== "tab") this.#tab?.forget();
    const isUp = (name === "up" && !this.#line.hasRow(-1)) || (ctrl && name === "p");
    const isDown = (name === "down" && !this.#line.hasRow(1)) || (ctrl && name === "n");
    if (!isUp && !isDown) this.#history.leave();
    if (name === "paste") this.#insertPaste(text);
    else if (isEnter && meta && !this.#isQuestion) this.#line.insert("\n");
    else if (isEnter) this.#submit();
    else if (name === "tab") this.#complete();
    else if (isUp || isDown) this.#recall(isUp);
    else if (ctrl && name === "r") this.#search();
    else if (isEnd) this.#push({ kind: "end" });
    else return false;
    return true;
  }

  #submit(): void {
    const { text } = this.#line;
    const isPasted = this.#isPasted;
    this.#isPasted = false;
    if (!this.#isQuestion) this.#history.add(text);
    this.#line.finish();
    this.#push({ kind: "line", text, ...(isPasted && { isPasted }) });
  }

  #recall(isOlder: boolean): void {
    const { text } = this.#line;
    const line = this.#isQuestion ? undefined : isOlder ? this.#history.older(text) : this.#history.newer(text);
    if (line === undefined) return;
    this.#isPasted ||= line.includes("\n");
    this.#line.redraw(line);
  }

  #complete(): void {
    if (this.#isShown && !this.#isQuestion) void this.#tab?.complete();
  }

  #search(): void {
    if (this.#isShown && !this.#isQuestion) this.#enter(new SearchMode(this.#history.lines, this.#line.place));
  }

  #insertPaste(pasted: string): void {
    const text = this.#isQuestion ? pasted.replaceAll("\n", " ") : pasted;
    this.#isPasted ||= text.includes("\n");
    if (text !== "") this.#line.insert(text);
  }

  #enter(mode: Mode): void {
    this.#mode = mode;
    this.#show(mode.prompt, mode.place);
  }

  #show(prompt: string, { text, cursor }: Mode["place"]): void {
    this.erase();
    this.#line.prompt = prompt;
    this.#line.set(text, cursor);
    this.draw();
  }

  #inMode(mode: Mode, key: Key): boolean {
    const step = mode.onKey(key);
    if (step.kind === "stay") {
      this.#show(mode.prompt, mode.place);
      return true;
    }
    this.#mode = undefined;
    this.#isPasted ||= step.place.text.includes("\n");
    this.#show(this.#prompt, step.place);
    if (step.after === "run") this.#submit();
    return step.after !== "key" || this.#onKey(key);
  }

  #end(end: Input & { kind: "end" }): void {
    if (this.#ended !== undefined) return;
    this.#ended = end;
    this.#stopListening();
    this.#push(end);
  }

  #push(input: Input): void {
    const deliver = this.#deliver;
    this.#isQuestion = false;
    // The prompt is on the screen: what comes next begins on a line of its own.
    if (input.kind === "end" && this.#isShown) this.#output.write("\n");
    this.#deliver = undefined;
    // The typed text stays where it is, and must not be erased any more.
    this.#hide?.();
    this.#hide = undefined;
    if (deliver !== undefined) deliver(input);
    else if (input !== this.#ended) this.#inputs.push(input);
  }
}
