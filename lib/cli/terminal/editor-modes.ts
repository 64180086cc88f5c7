import type { Key } from "./edit-line.ts";
import { HistorySearch } from "./history-search.ts";

/** A line and the cursor in it. */
export interface Place {
  readonly text: string;
  readonly cursor: number;
}

/** What a key does to a mode. */
export type Step =
  | { readonly kind: "stay" }
  /** The mode ends with this line; `after`: run it, or take the key for it. */
  | { readonly kind: "leave"; readonly place: Place; readonly after?: "run" | "key" };

/** Keys have another meaning for a while, and the line shows something else. */
export interface Mode {
  readonly prompt: string;
  readonly place: Place;
  onKey(key: Key): Step;
}

const STAY: Step = { kind: "stay" };

/** Ctrl-R: search the history while the query is typed. */
export class SearchMode implements Mode {
  readonly #before: Place;
  readonly #search: HistorySearch;

  constructor(lines: readonly string[], before: Place) {
    this.#before = before;
    this.#search = new HistorySearch(lines);
  }

  get prompt(): string {
    return `${this.#search.isFailed ? "not found" : "search"} "${this.#search.query}": `;
  }

  get place(): Place {
    const { found } = this.#search;
    return found === undefined ? { text: "", cursor: 0 } : { text: found.line, cursor: found.at };
  }

  onKey({ text, name, ctrl }: Key): Step {
    if (ctrl && name === "r") this.#search.older();
    else if (name === "backspace") this.#search.erase();
    else if (text !== "" && !/\p{Cc}/u.test(text)) this.#search.type(text);
    else if (name === "escape" || (ctrl && name === "g")) return { kind: "leave", place: this.#before };
    else if (ctrl && (name === "c" || name === "z")) return { kind: "leave", place: this.#before, after: "key" };
    else {
      const place = this.#search.found === undefined ? this.#before : this.place;
      return { kind: "leave", place, after: name === "return" || name === "enter" ? "run" : "key" };
    }
    return STAY;
  }
}

/** A question that one key answers: "y" or the space bar is yes, any other is no. */
export class KeyQuestion implements Mode {
  readonly prompt: string;
  readonly place: Place = { text: "", cursor: 0 };
  readonly #before: Place;
  readonly #onYes: () => void;

  constructor(prompt: string, before: Place, onYes: () => void) {
    this.prompt = prompt;
    this.#before = before;
    this.#onYes = onYes;
  }

  onKey({ text, name, ctrl }: Key): Step {
    if (/^[y ]$/i.test(text) && name !== "paste") queueMicrotask(this.#onYes);
    const isMeantElse = name === "paste" || (ctrl && (name === "c" || name === "z"));
    return { kind: "leave", place: this.#before, ...(isMeantElse && { after: "key" }) };
  }
}
