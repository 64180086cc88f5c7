/** Counts by name, for the summary. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(name: string, count = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + count);
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  toString(): string {
    const sorted = [...this.#counts].sort(([a], [b]) => a.localeCompare(b));
    return sorted.map(([name, count]) => `${name} ${count}`).join(", ");
  }
}

/** Largest of what was seen, by name. */
export class Worst {
  readonly #values = new Map<string, number>();

  note(name: string, value: number): void {
    this.#values.set(name, Math.max(value, this.#values.get(name) ?? Number.NEGATIVE_INFINITY));
  }

  toString(): string {
    return [...this.#values].map(([name, value]) => `${name} ${Math.round(value * 10) / 10}`).join(", ");
  }
}
