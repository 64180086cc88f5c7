/** An incremental search through lines that were typed: Ctrl-R. */
export class HistorySearch {
  readonly #lines: readonly string[];
  #query = "";
  /** The line that is shown; -1: none yet. */
  #at = -1;
  #isFailed = false;

  /** `lines`: the newest first. */
  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  get query(): string {
    return this.#query;
  }

  /** No line, or no older one, has the query. */
  get isFailed(): boolean {
    return this.#isFailed;
  }

  /** The line that was found last, and where the query is in it. */
  get found(): { readonly line: string; readonly at: number } | undefined {
    const line = this.#lines[this.#at];
    return line === undefined ? undefined : { line, at: Math.max(0, indexIn(line, this.#query)) };
  }

  /** More of the query: the shown line stays if it fits. */
  type(text: string): void {
    this.#query += text;
    this.#seek(Math.max(0, this.#at));
  }

  /** One character less: the newest line that fits. */
  erase(): void {
    this.#query = this.#query.replace(/.$/su, "");
    this.#at = -1;
    if (this.#query === "") this.#isFailed = false;
    else this.#seek(0);
  }

  /** The next older line that fits and differs. */
  older(): void {
    if (this.#query !== "") this.#seek(this.#at + 1, this.found?.line);
  }

  #seek(from: number, except?: string): void {
    const found = this.#lines.findIndex(
      (line, index) => index >= from && line !== except && indexIn(line, this.#query) !== -1,
    );
    this.#isFailed = found === -1;
    if (found !== -1) this.#at = found;
  }
}

/** Capital letters in the query count; small ones fit both. */
function indexIn(line: string, query: string): number {
  return query === query.toLowerCase() ? line.toLowerCase().indexOf(query) : line.indexOf(query);
}
