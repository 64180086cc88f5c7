import xterm from "@xterm/headless";
import { type Subprocess, spawn } from "bun";
import { USER_ENV } from "./processes.ts";
import { until } from "./until.ts";

/** A program on a pseudo-terminal, of 100 × 30 by default, and what a person would see there. */
export class Screen implements AsyncDisposable {
  readonly #terminal: xterm.Terminal;
  readonly #process: Subprocess;
  #written = 0;
  #shown = 0;

  constructor(command: string[], options: { cwd: string; env?: Record<string, string>; cols?: number; rows?: number }) {
    const { cols = 100, rows = 30 } = options;
    // A pseudo-terminal of no columns was never sized; programs take it for one of 80.
    this.#terminal = new xterm.Terminal({ cols: cols || 80, rows, allowProposedApi: true });
    this.#process = spawn(command, {
      cwd: options.cwd,
      env: { TERM: "xterm-256color", ...USER_ENV, ...options.env },
      terminal: {
        cols,
        rows,
        data: (_, bytes) => {
          this.#written++;
          this.#terminal.write(bytes, () => this.#shown++);
        },
      },
    });
    // The program may ask where the cursor is.
    this.#terminal.onData((answer) => this.type(answer));
  }

  /** The lines on the screen, without the empty ones at the end. */
  get lines(): string[] {
    const buffer = this.#terminal.buffer.active;
    const lines = Array.from({ length: buffer.length }, (_, row) => buffer.getLine(row)?.translateToString(true) ?? "");
    while (lines.at(-1) === "") lines.pop();
    return lines;
  }

  get text(): string {
    return this.lines.join("\n");
  }

  /** The text before the cursor on its line. */
  get beforeCursor(): string {
    const { cursorX, cursorY, baseY } = this.#terminal.buffer.active;
    return this.#terminal.buffer.active.getLine(baseY + cursorY)?.translateToString(false, 0, cursorX) ?? "";
  }

  /** Whether the program has asked the terminal to mark what is pasted. */
  get marksPastes(): boolean {
    return this.#terminal.modes.bracketedPasteMode;
  }

  /** Paste text, as a terminal does that marks it. */
  paste(text: string): void {
    this.type(`\u001b[200~${text}\u001b[201~`);
  }

  /** Type keys; `\r` is Enter, `\x03` Ctrl-C, `\x04` Ctrl-D. */
  type(keys: string): void {
    this.#process.terminal?.write(keys);
  }

  /** Wait until the text is on the screen. */
  async shows(text: string): Promise<void> {
    await until(() => this.#shown === this.#written && this.text.includes(text));
  }

  /** Wait until the cursor is right after this text. */
  async prompts(text: string): Promise<void> {
    await until(() => this.#shown === this.#written && this.beforeCursor.endsWith(text));
  }

  /** Resize the window. */
  resize(cols: number, rows: number): void {
    this.#terminal.resize(cols, rows);
    this.#process.terminal?.resize(cols, rows);
  }

  /** Close the window: the terminal is gone, and the system tells its programs. */
  hangUp(): void {
    this.#process.terminal?.close();
  }

  get exited(): Promise<number> {
    return this.#process.exited;
  }

  get pid(): number {
    return this.#process.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
    this.#process.terminal?.close();
    this.#terminal.dispose();
  }
}
