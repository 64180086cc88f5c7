import { type Completion, commonEnding, listQuestion, moreQuestion, namesShown } from "./completion.ts";
import type { EditLine } from "./edit-line.ts";

export interface TabCompleterOptions {
  readonly line: EditLine;
  complete(text: string): Promise<Completion> | Completion;
  /** The columns and rows of the window. */
  size(): { readonly columns: number; readonly rows: number };
  /** Print lines above the line that is edited. */
  print(lines: string): void;
  /** Ask a question that one key answers. */
  ask(question: string, onYes: () => void): void;
}

/** Tab: completes the end of the line as far as all names agree; a second Tab shows the names. */
export class TabCompleter {
  readonly #options: TabCompleterOptions;
  /** The text before the cursor after the last Tab. */
  #stuck: string | undefined;
  /** Counts the Tabs: a later one makes the answer to an earlier one worthless. */
  #count = 0;

  constructor(options: TabCompleterOptions) {
    this.#options = options;
  }

  /** Another key than Tab. */
  forget(): void {
    this.#stuck = undefined;
    this.#count++;
  }

  async complete(): Promise<void> {
    const { line, complete } = this.#options;
    const { text, cursor } = line;
    const before = text.slice(0, cursor);
    const count = ++this.#count;
    const completion = await Promise.resolve(complete(before)).catch(() => undefined);
    // Something was typed meanwhile.
    if (completion === undefined || count !== this.#count || line.text !== text || line.cursor !== cursor) return;
    const wasStuck = this.#stuck === before;
    this.#stuck = before;
    const ending = commonEnding(completion);
    if (ending !== undefined) {
      const start = cursor - completion.typed.length;
      this.#stuck = text.slice(0, start) + ending;
      line.redraw(this.#stuck + text.slice(cursor), this.#stuck.length);
    } else if (completion.names.length > 1 && wasStuck) this.#show(completion);
  }

  #show(completion: Completion): void {
    const { size, print, ask } = this.#options;
    const { columns, rows } = size();
    const lines = namesShown(completion, columns).split("\n");
    const question = listQuestion(completion, lines.length, rows);
    if (question === undefined) print(`${lines.join("\n")}\n`);
    else ask(question, () => this.#showPage(lines));
  }

  /** A window full of lines, and a question before the next one. */
  #showPage(lines: readonly string[]): void {
    const { size, print, ask } = this.#options;
    const room = Math.max(1, size().rows - 1);
    const rest = lines.slice(room);
    print(`${lines.slice(0, room).join("\n")}\n`);
    if (rest.length > 0) ask(moreQuestion(rest.length), () => this.#showPage(rest));
  }
}
