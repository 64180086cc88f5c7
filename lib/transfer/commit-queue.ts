import { toCommError } from "../errors.ts";

/** Commits under way: a disk that syncs many files at once is quicker than one after the other. */
const MAX_COMMITS = 64;

/** Runs commits beside the transfer, so that a slow disk does not stop the line, up to a bound. */
export class CommitQueue {
  readonly #running = new Set<Promise<void>>();

  /** Add a commit under way, which must not reject. @returns what to wait for before the next, when there is no room for it */
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

  /** `begin`, and once more when commits under way held the descriptors that it wants. @throws as `begin` */
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
   * When something could not begin for want of descriptors, which commits under way hold: resolves when they have let go of
   * them. undefined when it failed for another reason, or there are none.
   */
  freeing(thrown: unknown): Promise<void> | undefined {
    const { code } = toCommError(thrown);
    return this.size > 0 && (code === "OVERLOADED" || code === "TOO_MANY_FILES") ? this.settled() : undefined;
  }

  /** Resolves when none is under way. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
