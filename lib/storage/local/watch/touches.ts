import type { KnownFolder } from "./known-folder.ts";

/** The most names that may wait for a check; with more, the tree is read again. */
export const MAX_TOUCHED = 50_000;
/** The most folders, and names in each, that wait until the folder's new place is known. */
const MAX_UNSURE = 1_000;

/** What has happened at a name since its last check. */
export interface Touch {
  /** The last event was its removal: there is nothing to check. */
  isGone: boolean;
  /** A reported folder was removed from there. */
  hadFolder: boolean;
  /** The folder that is there now was moved there from elsewhere in the tree, with everything known about it. */
  isMoved: boolean;
}

export interface TouchesOptions {
  /** A name waits for a check. */
  onTouched(): void;
  /** More names were touched than can be kept. */
  onTooMany(): void;
}

/** The names at which something has happened since their last check. */
export class Touches {
  readonly #options: TouchesOptions;
  #touched = new Map<KnownFolder, Map<string, Touch>>();
  #count = 0;
  /** Touches in folders that were not found at their known path. */
  readonly #unsure = new Map<KnownFolder, Map<string, Touch>>();
  #isStopped = false;

  constructor(options: TouchesOptions) {
    this.#options = options;
  }

  /** The number of names that wait for a check. */
  get count(): number {
    return this.#count;
  }

  /** The touch of this name, which waits for a check from now on. */
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

  /** Take all touches that wait for a check. */
  take(): ReadonlyMap<KnownFolder, ReadonlyMap<string, Touch>> {
    const touched = this.#touched;
    this.#touched = new Map();
    this.#count = 0;
    return touched;
  }

  /** The folder was not at its known path: the check waits until touchUnsure(). */
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

  /** Keep no new touches. Waiting ones stay. */
  stop(): void {
    this.#isStopped = true;
  }
}
