import { parentOf } from "../path.ts";

/**
 * Folders that were made for a file that is still coming, and that nobody asked for. When the file does not come, they
 * are removed. Paths are repository paths.
 */
export class ProvisionalFolders {
  readonly #paths = new Set<string>();

  add(path: string): void {
    this.#paths.add(path);
  }

  /** The folder and those above it stay: something is in it, or somebody asked for it. */
  claim(path: string): void {
    for (let folder = path; folder !== "" && this.#paths.size > 0; folder = parentOf(folder))
      this.#paths.delete(folder);
  }

  /** Remove those above `path`, from the innermost on, until `remove` returns false. Throws nothing. */
  undo(path: string, remove: (folder: string) => boolean): void {
    for (let folder = parentOf(path); folder !== "" && this.#paths.size > 0; folder = parentOf(folder)) {
      // The innermost ones may not have been made yet.
      if (!this.#paths.has(folder)) continue;
      if (!remove(folder)) return;
      this.#paths.delete(folder);
    }
  }
}
