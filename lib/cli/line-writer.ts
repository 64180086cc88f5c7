/** Lines are gathered for so long: one write for what happens together, and none in the way of an answer. */
const GATHER_MS = 20;
/** Or up to this many characters. */
const GATHER_LENGTH = 64 * 1024;

/** Writes lines a little later and many at once. Who kills the program loses the last moment of them. */
export class LineWriter {
  readonly #write: (lines: string) => Promise<void> | void;
  #gathered = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #written: Promise<void> | void = undefined;

  /** `write` gets whole lines, each with its line feed. */
  constructor(write: (lines: string) => Promise<void> | void) {
    this.#write = write;
  }

  add(line: string): void {
    this.#gathered += `${line}\n`;
    if (this.#gathered.length >= GATHER_LENGTH) void this.flush();
    else this.#timer ??= setTimeout(() => void this.flush(), GATHER_MS);
  }

  /** Write what is gathered now; resolves when it was taken. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#gathered;
    this.#gathered = "";
    if (lines !== "") this.#written = this.#write(lines);
    await this.#written;
  }
}
