/** A file or a folder by what it is, whatever it is called: of fs.BigIntStats, for other numbers are not exact everywhere. */
export interface Inode {
  readonly dev: bigint;
  readonly ino: bigint;
}

/** An open folder by what it is, and where some file systems find it. */
export interface FolderId extends Inode {
  /** Its folded path, where there is something private in the tree. */
  readonly folded: string | undefined;
}

export function isSameInode(one: Inode, other: Inode): boolean {
  return one.ino === other.ino && one.dev === other.dev;
}

/** Something of each of several files or folders. */
export class Inodes<T> {
  /** By inode, then by device: few have one number on several. */
  readonly #byIno = new Map<bigint, Map<bigint, T>>();

  get({ dev, ino }: Inode): T | undefined {
    return this.#byIno.get(ino)?.get(dev);
  }

  /** @returns what was given */
  set({ dev, ino }: Inode, value: T): T {
    const byDev = this.#byIno.get(ino) ?? new Map<bigint, T>();
    this.#byIno.set(ino, byDev.set(dev, value));
    return value;
  }
}
