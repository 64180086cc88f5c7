import readline from "node:readline";
import type { EditorOutput } from "./editor-output.ts";
import { PastedText } from "./pasted-text.ts";
import type { TtyInput } from "./tty-input.ts";

/** A key as node:readline reads it, or a whole paste as one of the name "paste". `text` is what it types, if it does. */
export interface Key {
  readonly text: string;
  readonly name: string;
  readonly ctrl: boolean;
  readonly meta: boolean;
}

export interface EditLineOptions {
  readonly input: TtyInput;
  readonly output: EditorOutput;
  /** Called before each key is edited with. @returns true when nothing more is to be done with it */
  onKey(key: Key): boolean;
  /** Ctrl-C. */
  onInterrupt(): void;
  /** Ctrl-Z. */
  onSuspend(): void;
  onClose(): void;
}

/** A line feed that follows a return sooner than this belongs to it, as in readline. */
const CRLF_MS = 100;

/** What of readline its declarations leave out. Node's own shell uses these members as well. */
type Editor = readline.Interface & {
  line: string;
  cursor: number;
  prevRows?: number;
  _ttyWrite(text: string | undefined, key: readline.Key): void;
  _refreshLine(): void;
};

/**
 * The line that is edited, by node:readline: keys, words, undo, what was cut, and drawing. Line feeds in it are rows of
 * their own. Its history, its completion and its Enter are not used: they know one row only.
 */
export class EditLine {
  readonly #editor: Editor;
  readonly #output: EditorOutput;
  readonly #setText: (text: string) => void;

  constructor({ input, output, onKey, onInterrupt, onSuspend, onClose }: EditLineOptions) {
    this.#output = output;
    // Before readline's own listener, which moves up by the rows at the old width.
    output.on("resize", () => this.noteRows(this.rowsAbove));
    const editor = readline.createInterface({ input, output, terminal: true, historySize: 0 }) as Editor;
    const edit = editor._ttyWrite.bind(editor);
    let paste: PastedText | undefined;
    let returnedAt = Number.NEGATIVE_INFINITY;
    editor._ttyWrite = (text, key) => {
      const { name = "", ctrl = false, meta = false } = key;
      if (name === "return") returnedAt = performance.now();
      if (name === "paste-start") paste = new PastedText();
      else if (name === "paste-end") {
        if (paste !== undefined) onKey({ text: paste.text, name: "paste", ctrl, meta });
        paste = undefined;
      } else if (paste !== undefined) paste.add(text ?? "");
      else if (name === "enter" && performance.now() - returnedAt < CRLF_MS) returnedAt = Number.NEGATIVE_INFINITY;
      else if (!onKey({ text: ctrl || meta ? "" : (text ?? ""), name, ctrl, meta })) edit(text, key);
    };
    editor.on("SIGINT", onInterrupt).on("SIGTSTP", onSuspend).on("close", onClose);
    this.#editor = editor;
    this.#setText = setterOf(editor);
  }

  get place(): { text: string; cursor: number } {
    return { text: this.text, cursor: this.cursor };
  }

  get text(): string {
    return this.#editor.line;
  }

  get cursor(): number {
    return this.#editor.cursor;
  }

  /** Whether the text has a line above the cursor (-1), or below it (1). */
  hasRow(direction: -1 | 1): boolean {
    const { text, cursor } = this;
    return (direction < 0 ? text.slice(0, cursor) : text.slice(cursor)).includes("\n");
  }

  set prompt(prompt: string) {
    this.#editor.setPrompt(prompt);
  }

  /** Another line, without drawing it. */
  set(text: string, cursor = text.length): void {
    this.#setText(text);
    this.#editor.cursor = cursor;
  }

  /** Another line, drawn in place of the one that is on the screen. */
  redraw(text = this.text, cursor = text.length): void {
    this.set(text, cursor);
    this.#editor._refreshLine();
  }

  insert(text: string): void {
    const { line, cursor } = this.#editor;
    this.redraw(line.slice(0, cursor) + text + line.slice(cursor), cursor + text.length);
  }

  /** Draw the prompt and the line below all that is on the screen. */
  draw(): void {
    this.#editor.prompt(true);
  }

  /** Leave the line on the screen, with the cursor on the row below, and begin an empty one. */
  finish(mark = ""): void {
    if (this.cursor !== this.text.length) this.redraw();
    this.#output.write(`${mark}\r\n`);
    this.set("");
    this.noteRows(0);
  }

  /**
   * Rows of the line above the cursor, as drawn or as the window's new width would wrap them. Some terminals wrap the
   * line again and some don't: it is better to leave a row of the line than to erase a row of a message.
   */
  get rowsAbove(): number {
    return Math.min(this.#editor.prevRows ?? 0, this.#editor.getCursorPos().rows);
  }

  /** Set the rows above the cursor that readline will redraw as its own. */
  noteRows(rows: number): void {
    this.#editor.prevRows = rows;
  }

  pause(): void {
    this.#editor.pause();
  }

  resume(): void {
    this.#editor.resume();
  }

  close(): void {
    this.#editor.close();
  }
}

/** Readline's own way to set its text: it also notes whether the text has several rows, and draws them otherwise. */
function setterOf(editor: Editor): (text: string) => void {
  for (let object: object | null = editor; object !== null; object = Object.getPrototypeOf(object)) {
    const name = Object.getOwnPropertySymbols(object).find(({ description }) => description === "_setLine");
    if (name !== undefined)
      return (text) => (editor as unknown as Record<symbol, (text: string) => void>)[name]?.(text);
  }
  return (text) => {
    editor.line = text;
  };
}
