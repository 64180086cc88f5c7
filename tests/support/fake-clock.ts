import type { Clock } from "../../lib/session/clock.ts";

/** Time that stands still until a test moves it. */
export class FakeClock implements Clock {
  #now = 1_000;
  readonly #timers = new Set<{ at: number; action: () => void }>();

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return 1_700_000_000_000 + this.#now;
  }

  after(ms: number, action: () => void): () => void {
    const timer = { at: this.#now + ms, action };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  turn(): Promise<void> {
    return new Promise((resolve) => void setImmediate(resolve));
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Let `ms` pass without running anything, as for a process that is stopped. */
  stall(ms: number): void {
    this.#now += ms;
  }

  /** Let `ms` pass, running what falls due in order, with the microtasks between settled. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.action();
      await settle();
    }
    this.#now = end;
    await settle();
  }
}

/** Let everything run that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
