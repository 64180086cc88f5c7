/** Transfers that a session may have under way at once; each holds a few blocks in memory. Further ones wait for their turn. */
const MAX_TRANSFERS = 8;

/** The turns of one session. */
export class TransferSlots {
  #taken = 0;
  readonly #waiting: (() => void)[] = [];

  /** Do `work` when there is a slot for it. */
  async run(work: () => Promise<void>): Promise<void> {
    if (this.#taken < MAX_TRANSFERS) this.#taken++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#taken--;
      else next();
    }
  }
}
