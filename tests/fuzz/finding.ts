/** Something that must not be. */
export interface Finding {
  /** Which rule was broken: hang, seat, illegal answer, … */
  readonly oracle: string;
  readonly detail: string;
}

/** Everything that was found so far; whoever looks takes it away. */
export class Findings {
  #found: Finding[] = [];

  add(oracle: string, detail: string): void {
    // One fault shows many times.
    if (this.#found.length < 50) this.#found.push({ oracle, detail });
  }

  get size(): number {
    return this.#found.length;
  }

  take(): Finding[] {
    const found = this.#found;
    this.#found = [];
    return found;
  }
}

/** Errors that nobody has caught, from now on. Ends with dispose. */
export class Escapes implements Disposable {
  readonly #findings: Findings;
  readonly #note = (thrown: unknown) => {
    this.#findings.add("escape", thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
  };

  constructor(findings: Findings) {
    this.#findings = findings;
    process.on("uncaughtException", this.#note);
    process.on("unhandledRejection", this.#note);
  }

  [Symbol.dispose](): void {
    process.off("uncaughtException", this.#note);
    process.off("unhandledRejection", this.#note);
  }
}
