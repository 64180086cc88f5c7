import type { OpenFolder } from "./open-folder.ts";

/** How long an open folder is reused for its path: thousands of files of a tree come and go in that time. */
const REUSE_MS = 50;
const MAX_KEPT = 16;

/** Folders that were opened a moment ago, by their paths. */
export class KeptFolders {
  /** In the order of opening. */
  readonly #kept = new Map<string, { folder: OpenFolder; until: number }>();

  /** The folder at `path`, which the caller retains. undefined when it was not opened a moment ago, or is gone. */
  find(path: string): OpenFolder | undefined {
    const kept = this.#kept.get(path);
    if (kept === undefined) return undefined;
    if (performance.now() < kept.until && !kept.folder.isGone) return kept.folder;
    this.#kept.delete(path);
    kept.folder.release();
    return undefined;
  }

  /** Takes over the folder: a caller that continues to use it must retain it. */
  add(path: string, folder: OpenFolder): void {
    if (this.#kept.size === 0) this.#scheduleRelease();
    this.#kept.set(path, { folder, until: performance.now() + REUSE_MS });
    if (this.#kept.size <= MAX_KEPT) return;
    const [oldest, { folder: first }] = this.#kept.entries().next().value as [string, { folder: OpenFolder }];
    this.#kept.delete(oldest);
    first.release();
  }

  clear(): void {
    for (const { folder } of this.#kept.values()) folder.release();
    this.#kept.clear();
  }

  /** A disk with an open folder can't be unmounted, so keep none while nothing happens. */
  #scheduleRelease(): void {
    setTimeout(() => {
      const now = performance.now();
      for (const [path, { folder, until }] of this.#kept) {
        if (until > now) continue;
        this.#kept.delete(path);
        folder.release();
      }
      if (this.#kept.size > 0) this.#scheduleRelease();
    }, 10 * REUSE_MS).unref();
  }
}
