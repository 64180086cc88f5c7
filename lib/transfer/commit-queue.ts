import { toCommError } from "../errors.ts";

/** The most commits under way: syncing many files at once is faster than one after the other. */
const MAX_COMMITS = 64;

/** Runs a bounded number of commits in parallel with the transfer, so that a slow disk does not stop it. */
export class CommitQueue {
  readonly #running = new Set<Promise<void>>();

  /**
   * Add a commit under way, which must not reject.
   *
   * @returns undefined: there is room for the next one; otherwise a promise to wait for
   */
  add(commit: Promise<void>): Promise<void> | undefined {
    const running: Promise<void> = commit.finally(() => this.#running.delete(running));
    this.#running.add(running);
    return this.#running.size < MAX_COMMITS ? undefined : this.#makeRoom();
  }

  async #makeRoom(): Promise<void> {
    while (this.#running.size >= MAX_COMMITS) await Promise.race(this.#running);
  }

  get size(): number {
    return this.#running.size;
  }

  /** Call `begin`, and once more if commits under way held the descriptors that it needs. @throws as `begin` */
  async tryTwice<T>(begin: () => Promise<T>): Promise<T> {
    try {
      return await begin();
    } catch (thrown) {
      const freed = this.freeing(thrown);
      if (freed === undefined) throw thrown;
      await freed;
      return begin();
    }
  }

  /**
   * After a failure for lack of descriptors: a promise that resolves when the commits under way have released theirs.
   * undefined after any other failure, or when no commits are under way.
   */
  freeing(thrown: unknown): Promise<void> | undefined {
    const { code } = toCommError(thrown);
    return this.size > 0 && (code === "OVERLOADED" || code === "TOO_MANY_FILES") ? this.settled() : undefined;
  }

  /** Resolves when no commit is under way. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
