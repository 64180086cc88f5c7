import { parentOf } from "../../path.ts";
import type { OpenFolder } from "./open-folder.ts";

/**
 * The names of new folders, until they are on the disk. POSIX promises that a file is durable only when the name of
 * each folder above it is: the sync of a folder does not cover the folder's own name, which is in its parent.
 */
export class NewNames {
  readonly #syncs = new Map<string, Promise<void>>();

  /** The folder at `path` was created in `holder`: begin to sync its name. */
  add(path: string, holder: OpenFolder): void {
    if (!holder.isDurable) return;
    const sync: Promise<void> = holder
      .retain()
      .sync()
      .then(() => this.#forget(path, sync))
      .finally(() => holder.release());
    // Callers that wait for it get its failure.
    sync.catch(() => {});
    this.#syncs.set(path, sync);
  }

  /**
   * Resolves when the names of the folder at `path`, and of those above it, are on the disk; undefined if they are.
   * Rejects with the system's error.
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
