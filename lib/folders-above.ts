/**
 * The folders above the wanted entries of a depth-first walk. Each can be reported once, before the first entry in it.
 */
export class FoldersAbove<T extends { readonly path: string }> {
  /** The folders around the walk's present place that were not taken yet, outermost first. */
  readonly #around: T[] = [];

  /** The walk enters this folder, and does not report it by itself. */
  enter(folder: T): void {
    this.#leave(folder.path);
    this.#around.push(folder);
  }

  /** The folders above `path`, the walk's present place, that were not taken before. */
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
