import { foldPath } from "../fold.ts";

/** The most paths that are remembered: a million, in 16 MiB. Later ones are not. */
export const MAX_PATHS = 1_048_576;
const MIN_SLOTS = 16;
/** Neither of the two numbers of a path is 0. */
const EMPTY = 0;

/**
 * The paths that one transfer has given to files. On some disks (FAT, exFAT, NTFS, APFS) several paths are one name:
 * the file of the first path must not be replaced by the file of the next.
 *
 * An open hash table of two digests of 32 bits for each path, as it is and folded. Two paths with one digest count
 * as alike, and then the disk is asked.
 */
export class GivenNames {
  /** Folded and plain digests in turn. */
  #slots = new Int32Array(2 * MIN_SLOTS);
  #count = 0;

  add(path: string): void {
    const [folded, plain] = [digestOf(foldPath(path)), digestOf(path)];
    const at = this.#find(folded, (other) => other === plain);
    if (this.#slots[at] !== EMPTY || this.#count === MAX_PATHS) return;
    this.#slots[at] = folded;
    this.#slots[at + 1] = plain;
    if (++this.#count * 8 > this.#slots.length * 3) this.#grow();
  }

  /** True when another given path may be the same name on some disk. */
  isInQuestion(path: string): boolean {
    if (this.#count === 0) return false;
    const [folded, plain] = [digestOf(foldPath(path)), digestOf(path)];
    return this.#slots[this.#find(folded, (other) => other !== plain)] !== EMPTY;
  }

  /** The slot of a path with this folded digest whose plain digest `fits` accepts, or a free slot. */
  #find(folded: number, fits: (plain: number) => boolean): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let at = (2 * folded) & mask;
    while (slots[at] !== EMPTY && !(slots[at] === folded && fits(slots[at + 1] as number))) at = (at + 2) & mask;
    return at;
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Int32Array(before.length * 2);
    for (let from = 0; from < before.length; from += 2) {
      if (before[from] === EMPTY) continue;
      const at = this.#find(before[from] as number, () => false);
      this.#slots[at] = before[from] as number;
      this.#slots[at + 1] = before[from + 1] as number;
    }
  }
}

/** FNV-1a of the UTF-16 units: two paths that collide on purpose only cost a look at the disk. */
function digestOf(text: string): number {
  let digest = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) digest = Math.imul(digest ^ text.charCodeAt(at), 0x01000193);
  return digest || 1;
}
