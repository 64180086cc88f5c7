import type { KnownFolder } from "./known-folder.ts";

/** Names that may wait for a look; with more, the tree is read again. */
export const MAX_TOUCHED = 50_000;
/** Names of one folder, or folders, whose new place is not known yet. */
const MAX_UNSURE = 1_000;

/** What has happened at a name since it was last looked at. */
export interface Touch {
  /** It was removed last: there is nothing to look at. */
  isGone: boolean;
  /** A folder that was reported was removed from there. */
  hadFolder: boolean;
  /** The folder that is there now came from elsewhere in the tree, with all that is known of it. */
  isMoved: boolean;
}

export interface TouchesOptions {
  /** Something waits for a look. */
  onTouched(): void;
  /** More names are touched than are kept. */
  onTooMany(): void;
}

/** Names in folders at which something has happened since they were last looked at. */
export class Touches {
  readonly #options: TouchesOptions;
  #touched = new Map<KnownFolder, Map<string, Touch>>();
  #count = 0;
  /** Touches in folders that were not at their known path. */
  readonly #unsure = new Map<KnownFolder, Map<string, Touch>>();
  #isStopped = false;

  constructor(options: TouchesOptions) {
    this.#options = options;
  }

  /** Names that wait for a look. */
  get count(): number {
    return this.#count;
  }

  /** What has happened at this name, which waits for a look from now on. */
  at(folder: KnownFolder, name: string): Touch {
    let names = this.#touched.get(folder);
    if (names === undefined) {
      names = new Map();
      this.#touched.set(folder, names);
    }
    let touch = names.get(name);
    if (touch === undefined) {
      touch = { isGone: false, hadFolder: false, isMoved: false };
      if (this.#isStopped) return touch;
      names.set(name, touch);
      this.#count++;
      if (this.#count > MAX_TOUCHED) this.#options.onTooMany();
      else this.#options.onTouched();
    }
    return touch;
  }

  /** All that wait for a look. From now on none does. */
  take(): ReadonlyMap<KnownFolder, ReadonlyMap<string, Touch>> {
    const touched = this.#touched;
    this.#touched = new Map();
    this.#count = 0;
    return touched;
  }

  /** The folder was not at its known path: the look waits until touchUnsure(). */
  noteUnsure(folder: KnownFolder, name: string, touch: Touch): void {
    const names = this.#unsure.get(folder) ?? new Map<string, Touch>();
    this.#unsure.set(folder, names.set(name, touch));
    if (this.#unsure.size > MAX_UNSURE || names.size > MAX_UNSURE) this.#options.onTooMany();
  }

  /** Folders that were not found at their old path may be at their new one by now. */
  touchUnsure(): void {
    const unsure = [...this.#unsure];
    this.#unsure.clear();
    for (const [folder, names] of unsure) {
      for (const [name, earlier] of names) {
        const touch = this.at(folder, name);
        touch.hadFolder ||= earlier.hadFolder;
        touch.isMoved ||= earlier.isMoved;
      }
    }
  }

  /** Keep no new touches. Those that wait go on waiting. */
  stop(): void {
    this.#isStopped = true;
  }
}
