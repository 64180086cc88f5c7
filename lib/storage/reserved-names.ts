import { type Inode, isSameInode } from "./inodes.ts";

/** "private": what it names is; "way": it leads to that, and must go on doing so. */
export type Reservation = "private" | "way";

interface Entry {
  readonly name: string;
  readonly kind: Reservation;
  /** What was there; undefined: nothing. */
  readonly there: Inode | undefined;
}

/** Names in one folder that are not for everybody. */
export class ReservedNames {
  readonly #byName = new Map<string, Entry>();
  readonly #byFold = new Map<string, Entry>();

  add(name: string, kind: Reservation, there: Inode | undefined): void {
    const entry = { name, kind, there };
    if (this.#byName.get(name)?.kind !== "private") this.#byName.set(name, entry);
    if (this.#byFold.get(fold(name))?.kind !== "private") this.#byFold.set(fold(name), entry);
  }

  /** Of a name as it was added. */
  get(name: string): Reservation | undefined {
    return this.#byName.get(name)?.kind;
  }

  /** Of a name that some file system takes for one of them. */
  similar(name: string): Reservation | undefined {
    return this.#byFold.get(fold(name))?.kind;
  }

  /** Of what one of them named. */
  of(there: Inode): Reservation | undefined {
    return this.#byName.values().find((entry) => entry.there !== undefined && isSameInode(entry.there, there))?.kind;
  }
}

// What some systems cut off behind a name, and what some don't see within it.
const UNSEEN = /[. ]+$|\p{Default_Ignorable_Code_Point}/gu;

/** The same for names that are the same to some file system: in another case of letters, another normal form. */
export function fold(name: string): string {
  // Up and down again: some letters are the same only above, as the long s and the s.
  return name.normalize("NFKD").replace(UNSEEN, "").toUpperCase().toLowerCase();
}
