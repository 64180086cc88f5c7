import { parentOf } from "../../path.ts";
import type { OpenFolder } from "./open-folder.ts";

/**
 * The names of folders that were made, until they are on the disk. POSIX promises a file for good only when the name of
 * each folder above it is: the sync of a folder says nothing of the folder's own name, which is in the one that holds it.
 */
export class NewNames {
  readonly #syncs = new Map<string, Promise<void>>();

  /** The folder at `path` was made in `holder`: its name goes to the disk from now on. */
  add(path: string, holder: OpenFolder): void {
    if (!holder.isDurable) return;
    const sync: Promise<void> = holder
      .retain()
      .sync()
      .then(() => this.#forget(path, sync))
      .finally(() => holder.release());
    // Whoever waits for it hears of its failure.
    sync.catch(() => {});
    this.#syncs.set(path, sync);
  }

  /**
   * Resolves when the names of the folder at `path`, and of those above it, are on the disk; undefined: they are.
   * It rejects with the system's error.
   */
  settled(path: string): Promise<void> | undefined {
    if (this.#syncs.size === 0) return undefined;
    const syncs: Promise<void>[] = [];
    for (let folder = path; folder !== ""; folder = parentOf(folder)) {
      const sync = this.#syncs.get(folder);
      if (sync !== undefined) syncs.push(sync.finally(() => this.#forget(folder, sync)));
    }
    return syncs.length === 0 ? undefined : Promise.all(syncs).then(() => {});
  }

  #forget(path: string, sync: Promise<void>): void {
    if (this.#syncs.get(path) === sync) this.#syncs.delete(path);
  }
}
