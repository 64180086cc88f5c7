/**
 * The identity of a file or folder, whatever its name; from fs.BigIntStats, because other numbers are not exact
 * everywhere.
 */
export interface Inode {
  readonly dev: bigint;
  readonly ino: bigint;
}

/** The identity of an open folder, and the path under which some file systems find it. */
export interface FolderId extends Inode {
  /** Its folded path, if there is something private in the tree. */
  readonly folded: string | undefined;
}

export function isSameInode(one: Inode, other: Inode): boolean {
  return one.ino === other.ino && one.dev === other.dev;
}

/** A map from files or folders to values. */
export class Inodes<T> {
  /** By inode, then by device: few inode numbers are used on several devices. */
  readonly #byIno = new Map<bigint, Map<bigint, T>>();

  get({ dev, ino }: Inode): T | undefined {
    return this.#byIno.get(ino)?.get(dev);
  }

  /** @returns `value` */
  set({ dev, ino }: Inode, value: T): T {
    const byDev = this.#byIno.get(ino) ?? new Map<bigint, T>();
    this.#byIno.set(ino, byDev.set(dev, value));
    return value;
  }
}
