/** The most characters of names that are remembered. */
const MAX_LENGTH = 256 * 1024;

/** Folders that a transfer has made: no earlier file can be in them. For forgotten folders the disk is asked. */
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
