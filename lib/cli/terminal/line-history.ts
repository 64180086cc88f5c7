/** Lines that were typed, the newest first, and where a person is among them. */
export class LineHistory {
  readonly #lines: string[];
  readonly #max: number;
  /** -1: not in the history. */
  #at = -1;
  /** What had been typed before. */
  #draft = "";

  constructor(lines: readonly string[], max: number) {
    this.#lines = lines.slice(0, max);
    this.#max = max;
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** A line that was run. Of equal ones only the newest is kept. */
  add(line: string): void {
    this.leave();
    if (line.trim() === "") return;
    const before = this.#lines.indexOf(line);
    if (before !== -1) this.#lines.splice(before, 1);
    this.#lines.unshift(line);
    this.#lines.length = Math.min(this.#lines.length, this.#max);
  }

  /** The next older line that begins as what was typed; undefined when there is none. */
  older(line: string): string | undefined {
    if (this.#at === -1) this.#draft = line;
    const found = this.#lines.findIndex(
      (each, index) => index > this.#at && each.startsWith(this.#draft) && each !== line,
    );
    if (found === -1) return undefined;
    this.#at = found;
    return this.#lines[found];
  }

  /** The next newer line, and after all what had been typed; undefined when that is shown already. */
  newer(line: string): string | undefined {
    if (this.#at === -1) return undefined;
    const found = this.#lines.findLastIndex(
      (each, index) => index < this.#at && each.startsWith(this.#draft) && each !== line,
    );
    this.#at = found;
    return found === -1 ? this.#draft : this.#lines[found];
  }

  /** Something else was done: what is in the line now is what was typed. */
  leave(): void {
    this.#at = -1;
  }
}
