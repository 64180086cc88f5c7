/** How long lines are gathered: events that come together take one write, and answers are hardly delayed. */
const GATHER_MS = 20;
/** The most characters that are gathered. */
const GATHER_LENGTH = 64 * 1024;

/** What happens to lines that nobody reads. */
export interface Overflow {
  /** Characters that may wait. */
  readonly max: number;
  /** The line that replaces `count` dropped lines. */
  dropped(count: number): string;
}

/**
 * Writes lines a little later and many at once, and waits until the reader has taken the lines before. Killing the
 * program loses the lines of its last moment.
 */
export class LineWriter {
  readonly #write: (lines: string) => Promise<void> | void;
  readonly #overflow: Overflow | undefined;
  #gathered = "";
  #dropped = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> | undefined;

  /** `write` gets whole lines, each with its line feed. Without `overflow` they wait, however many. */
  constructor(write: (lines: string) => Promise<void> | void, overflow?: Overflow) {
    this.#write = write;
    this.#overflow = overflow;
  }

  add(line: string): void {
    const isFull = this.#overflow !== undefined && this.#gathered.length + line.length > this.#overflow.max;
    if (this.#writing !== undefined && isFull) {
      this.#dropped++;
      return;
    }
    this.#gathered += `${line}\n`;
    if (this.#writing !== undefined) return; // the write under way continues with the new lines
    if (this.#gathered.length >= GATHER_LENGTH) void this.flush();
    else this.#timer ??= setTimeout(() => void this.flush(), GATHER_MS);
  }

  /** Write the gathered lines now; resolves when they were written. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#gathered !== "" || this.#dropped > 0) {
      let lines = this.#gathered;
      this.#gathered = "";
      if (this.#dropped > 0) lines += `${this.#overflow?.dropped(this.#dropped)}\n`;
      this.#dropped = 0;
      await this.#write(lines);
    }
  }
}
