import { parentOf } from "../path.ts";

/**
 * Folders that were created only for a file that is still arriving. If the file does not arrive, they are removed.
 * Paths are repository paths.
 */
export class ProvisionalFolders {
  readonly #paths = new Set<string>();

  add(path: string): void {
    this.#paths.add(path);
  }

  /** Keep the folder and those above it: something is in it, or somebody asked for it. */
  claim(path: string): void {
    for (let folder = path; folder !== "" && this.#paths.size > 0; folder = parentOf(folder))
      this.#paths.delete(folder);
  }

  /** Remove the folders above `path`, innermost first, until `remove` returns false. Never throws. */
  undo(path: string, remove: (folder: string) => boolean): void {
    for (let folder = parentOf(path); folder !== "" && this.#paths.size > 0; folder = parentOf(folder)) {
      // The innermost ones may not exist yet.
      if (!this.#paths.has(folder)) continue;
      if (!remove(folder)) return;
      this.#paths.delete(folder);
    }
  }
}
