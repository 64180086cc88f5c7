/**
 * Changes of one path by HTTP, one after the other: between the look at what is there, which the conditions of a request
 * are judged by, and the change itself no other request changes it.
 */
export class PathTurns {
  /** By path, the last that has come. */
  readonly #last = new Map<string, Promise<void>>();

  /** Carry out `change` when those before it have ended. @throws what `change` throws */
  async run<T>(path: string, change: () => Promise<T>): Promise<T> {
    const before = this.#last.get(path);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last.set(path, promise);
    await before;
    try {
      return await change();
    } finally {
      resolve();
      if (this.#last.get(path) === promise) this.#last.delete(path);
    }
  }
}
