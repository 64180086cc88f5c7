/** Characters of names that are remembered. */
const MAX_LENGTH = 256 * 1024;

/** Folders that a transfer has made: what comes into them can find nothing there. What is forgotten is looked for. */
export class MadeFolders {
  readonly #paths = new Set<string>();
  #length = 0;

  has(path: string): boolean {
    return this.#paths.has(path);
  }

  add(path: string): void {
    if (this.#length + path.length > MAX_LENGTH) {
      this.#paths.clear();
      this.#length = 0;
    }
    this.#paths.add(path);
    this.#length += path.length;
  }
}
