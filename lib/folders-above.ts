/**
 * Of a walk that goes depth first: the folders on the way to what is wanted, so that each can be told once, before the
 * first thing in it.
 */
export class FoldersAbove<T extends { readonly path: string }> {
  /** Those around the walk's present place that were not taken, each within the one before. */
  readonly #around: T[] = [];

  /** The walk has come to this folder, and does not tell it by itself. */
  enter(folder: T): void {
    this.#leave(folder.path);
    this.#around.push(folder);
  }

  /** Those above `path`, at which the walk is, that were not taken before. */
  take(path: string): T[] {
    this.#leave(path);
    return this.#around.splice(0);
  }

  #leave(path: string): void {
    for (
      let last = this.#around.at(-1);
      last !== undefined && !path.startsWith(`${last.path}/`);
      last = this.#around.at(-1)
    ) {
      this.#around.pop();
    }
  }
}
