/** Reports that something is closed, by a promise and by a signal. Both are made at their first use. */
export class Closing {
  #isClosed = false;
  #settled: PromiseWithResolvers<void> | undefined;
  #aborter: AbortController | undefined;

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Settles when it is closed. Never rejects. */
  get settled(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#settled ??= Promise.withResolvers();
    return this.#settled.promise;
  }

  /** Aborts when it is closed. */
  get signal(): AbortSignal {
    if (this.#aborter === undefined) {
      this.#aborter = new AbortController();
      if (this.#isClosed) this.#aborter.abort();
    }
    return this.#aborter.signal;
  }

  close(): void {
    this.#isClosed = true;
    this.#settled?.resolve();
    this.#aborter?.abort();
  }
}
