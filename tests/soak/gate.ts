/** Where all parties wait while it is closed. */
export class Gate {
  #isClosed = false;
  #opened = Promise.withResolvers<void>();
  /** Who is inside, and since when. */
  readonly #busy = new Map<string, number>();
  #quiet = Promise.withResolvers<void>();

  /** Do one step, as soon as the gate is open. */
  async pass(party: string, step: () => Promise<void>): Promise<void> {
    while (this.#isClosed) await this.#opened.promise;
    this.#busy.set(party, Date.now());
    try {
      await step();
    } finally {
      this.#busy.delete(party);
      if (this.#busy.size === 0) this.#quiet.resolve();
    }
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Who is inside: `name (seconds)`. */
  get busy(): string[] {
    return [...this.#busy].map(([party, since]) => `${party} (${((Date.now() - since) / 1000).toFixed(0)} s)`);
  }

  /** Let nobody in any more. @returns false when somebody was still inside after `timeoutMs` */
  async close(timeoutMs: number): Promise<boolean> {
    this.#isClosed = true;
    this.#quiet = Promise.withResolvers<void>();
    if (this.#busy.size === 0) return true;
    return Promise.race([this.#quiet.promise.then(() => true), Bun.sleep(timeoutMs).then(() => false)]);
  }

  open(): void {
    this.#isClosed = false;
    const { resolve } = this.#opened;
    this.#opened = Promise.withResolvers<void>();
    resolve();
  }
}
