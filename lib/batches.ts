/** Takes items one by one that arrive in batches: a wait for each would cost more than the item. */
export class Batches<T> {
  readonly #iterator: AsyncIterator<readonly T[]>;
  #batch: readonly T[] = [];
  #index = 0;
  #isEnded = false;
  /** The next batch on its way. */
  #coming: Promise<undefined> | undefined;

  constructor(batches: AsyncIterable<readonly T[]>) {
    this.#iterator = batches[Symbol.asyncIterator]();
  }

  /** True when nothing more will come. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /**
   * The next item; undefined, now or later, when none was ready: then call again, unless isEnded. It may be called while
   * an earlier promise is pending.
   */
  next(): T | undefined | Promise<undefined> {
    const item = this.#batch[this.#index];
    if (item === undefined) return this.#isEnded ? undefined : this.#come();
    this.#index++;
    return item;
  }

  /** Resolves when an item is ready, or none will come. @returns true when there is one */
  async ready(): Promise<boolean> {
    while (this.#batch[this.#index] === undefined && !this.#isEnded) await this.#come();
    return this.#batch[this.#index] !== undefined;
  }

  async close(): Promise<void> {
    await this.#iterator.return?.();
  }

  #come(): Promise<undefined> {
    this.#coming ??= this.#more().finally(() => {
      this.#coming = undefined;
    });
    return this.#coming;
  }

  async #more(): Promise<undefined> {
    const step = await this.#iterator.next();
    this.#isEnded = step.done === true;
    this.#batch = step.done ? [] : step.value;
    this.#index = 0;
  }
}

export async function* inOneBatch<T>(items: readonly T[]): AsyncGenerator<readonly T[], void> {
  yield items;
}
