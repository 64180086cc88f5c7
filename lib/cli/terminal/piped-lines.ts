import { type Input, LineInput } from "./line-input.ts";

/** The longest line, in UTF-16 units: nobody types a longer one, and the rest of it is dropped. */
const MAX_LINE = 64 * 1024;

/** Lines that are piped in. The next chunk is read when all lines of the one before have been taken. */
export class PipedLines extends LineInput {
  readonly #pieces: AsyncIterator<string>;
  #lines: string[] = [];
  #rest = "";
  #ended = false;
  #isGone = false;
  /** The result of every further next(), whatever else could be read. */
  #over: Input | undefined;
  #deliver: ((input: Input) => void) | undefined;

  constructor(input: NodeJS.ReadStream) {
    super();
    input.setEncoding("utf8");
    this.#pieces = input[Symbol.asyncIterator]() as AsyncIterator<string>;
  }

  override next(): Promise<Input> {
    if (this.#over !== undefined) return Promise.resolve(this.#over);
    return new Promise((resolve) => {
      this.#deliver = resolve;
      void this.#nextLine().then((input) => this.#tell(input));
    });
  }

  protected override tellInterrupt(): void {
    this.#tell({ kind: "interrupt", text: "" });
  }

  override close(): void {
    this.#tell({ kind: "end" });
  }

  #tell(input: Input): void {
    if (input.kind !== "line") this.#over ??= input;
    this.#deliver?.(input);
    this.#deliver = undefined;
  }

  async #nextLine(): Promise<Input> {
    while (this.#lines.length === 0 && !this.#ended) {
      const { value, done } = await this.#pieces.next().catch(() => this.#fail());
      if (done) this.#end();
      else this.#take(value);
    }
    const text = this.#lines.shift();
    return text === undefined ? { kind: "end", isGone: this.#isGone } : { kind: "line", text };
  }

  /** A terminal that is gone fails instead of ending. */
  #fail(): IteratorResult<string> {
    this.#isGone = true;
    return { value: "", done: true };
  }

  #take(piece: string): void {
    const lines = `${this.#rest}${piece}`.split("\n");
    this.#rest = (lines.pop() ?? "").slice(0, MAX_LINE);
    this.#lines = lines.map((line) => line.replace(/\r$/, "").slice(0, MAX_LINE));
  }

  /** A last line may have no line feed. */
  #end(): void {
    this.#ended = true;
    if (this.#rest !== "") this.#lines = [this.#rest];
    this.#rest = "";
  }
}
