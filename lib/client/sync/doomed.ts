import type { SyncEntry } from "./folder-join.ts";

/** Something that a mirror removes from its target. */
export interface Removal extends Pick<SyncEntry, "path" | "kind" | "size"> {
  /** Something of another kind, or with another spelling of its name, comes in its place: it goes first. */
  readonly isInTheWay: boolean;
}

interface OpenFolder {
  readonly entry: SyncEntry;
  readonly mayGo: boolean;
  readonly isInTheWay: boolean;
  /** Something in it stays. */
  isKept: boolean;
  onSettled?: ((goes: boolean) => void) | undefined;
}

/**
 * What only the target has, as a depth-first walk comes across it. A folder goes when everything in it goes; what is in
 * a folder comes before the folder.
 */
export class Doomed {
  readonly #onRemoval: (removal: Removal) => void;
  readonly #open: OpenFolder[] = [];

  constructor(onRemoval: (removal: Removal) => void) {
    this.#onRemoval = onRemoval;
  }

  /** `onSettled` tells whether it goes; for a folder that is known when the walk has left it. */
  add(
    entry: SyncEntry,
    mayGo: boolean,
    { isInTheWay = false, onSettled }: { isInTheWay?: boolean; onSettled?: (goes: boolean) => void } = {},
  ): void {
    this.#leave(entry.path);
    const folder = this.#open.at(-1);
    const goesFirst = isInTheWay || folder?.isInTheWay === true;
    if (entry.kind === "folder") {
      this.#open.push({ entry, mayGo, isInTheWay: goesFirst, isKept: !mayGo, onSettled });
      return;
    }
    if (mayGo) this.#remove(entry, goesFirst);
    else if (folder !== undefined) folder.isKept = true;
    onSettled?.(mayGo);
  }

  /** The walk has ended. */
  end(): void {
    while (this.#open.length > 0) this.#close();
  }

  #leave(path: string): void {
    for (
      let last = this.#open.at(-1);
      last !== undefined && !path.startsWith(`${last.entry.path}/`);
      last = this.#open.at(-1)
    ) {
      this.#close();
    }
  }

  #close(): void {
    const folder = this.#open.pop();
    if (folder === undefined) return;
    const { entry, isKept, isInTheWay, onSettled } = folder;
    const above = this.#open.at(-1);
    if (!isKept) this.#remove(entry, isInTheWay);
    else if (above !== undefined) above.isKept = true;
    onSettled?.(!isKept);
  }

  #remove({ path, kind, size }: SyncEntry, isInTheWay: boolean): void {
    this.#onRemoval({ path, kind, size, isInTheWay });
  }
}
