import { parentOf } from "../path.ts";

/**
 * Folders that were made for a file that may not come, and that nobody was told of by themselves: with it they go again.
 * Paths are repository paths.
 */
export class ProvisionalFolders {
  readonly #paths = new Set<string>();

  add(path: string): void {
    this.#paths.add(path);
  }

  /** The folder, and those above it, are there to stay: something is in it, or somebody was told that it is there. */
  claim(path: string): void {
    for (let folder = path; folder !== "" && this.#paths.size > 0; folder = parentOf(folder))
      this.#paths.delete(folder);
  }

  /** Have those removed that are above `path`, from the innermost on, until `remove` can't. @returns nothing, and throws nothing */
  undo(path: string, remove: (folder: string) => boolean): void {
    for (let folder = parentOf(path); folder !== "" && this.#paths.size > 0; folder = parentOf(folder)) {
      // Of the innermost, not all may have been made.
      if (!this.#paths.has(folder)) continue;
      if (!remove(folder)) return;
      this.#paths.delete(folder);
    }
  }
}
