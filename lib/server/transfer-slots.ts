/** Transfers that may hold blocks in memory at once, of one session. Further ones wait for their turn. */
const MAX_TRANSFERS = 4;

/** The turns of one member. */
export class TransferSlots {
  readonly #running = new Set<Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  /** Settles when those of an earlier link have ended, and let go of their files. */
  #earlier: Promise<unknown> = Promise.resolve();

  /** Do `work` when there is a slot for it. */
  async run(work: () => Promise<void>): Promise<void> {
    await this.#earlier;
    while (this.#running.size >= MAX_TRANSFERS) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const running = work();
    this.#running.add(running);
    try {
      await running;
    } finally {
      this.#running.delete(running);
      this.#waiting.shift()?.();
    }
  }

  /** The member goes on over another link: what runs now is about to fail, and nothing new begins before it has. */
  renew(): void {
    this.#earlier = Promise.allSettled([this.#earlier, ...this.#running]);
  }
}
