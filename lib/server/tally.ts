/** Counts by kind; kinds with a count of 0 take no memory. */
export class Tally {
  readonly #counts = new Map<string, number>();

  count(kind: string): number {
    return this.#counts.get(kind) ?? 0;
  }

  add(kind: string): void {
    this.#counts.set(kind, this.count(kind) + 1);
  }

  remove(kind: string): void {
    const left = this.count(kind) - 1;
    if (left > 0) this.#counts.set(kind, left);
    else this.#counts.delete(kind);
  }

  /** The kinds with a count above 0. */
  get kinds(): string[] {
    return [...this.#counts.keys()];
  }

  /** A kind with the highest count; undefined when all counts are 0. */
  most(): string | undefined {
    let most: string | undefined;
    for (const [kind, count] of this.#counts) if (most === undefined || count > this.count(most)) most = kind;
    return most;
  }
}
