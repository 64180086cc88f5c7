import { sep } from "node:path";

/**
 * "private": what it names is; "way": it leads to that, and must go on doing so; "alike": there are file systems to which
 * it is the name of a way.
 */
export type Reservation = "private" | "way" | "alike";

/** Names in one folder that are not for everybody. */
export class ReservedNames {
  readonly #entries = new Map<string, { isPrivate: boolean; readonly names: Set<string> }>();

  add(name: string, isPrivate: boolean): void {
    const entry = this.#entries.get(fold(name)) ?? { isPrivate, names: new Set() };
    entry.isPrivate ||= isPrivate;
    entry.names.add(name);
    this.#entries.set(fold(name), entry);
  }

  get(name: string): Reservation | undefined {
    const entry = this.#entries.get(fold(name));
    if (entry === undefined) return undefined;
    return entry.isPrivate ? "private" : entry.names.has(name) ? "way" : "alike";
  }
}

// What some systems cut off behind a name, and what some don't see within it.
const UNSEEN = /[. ]+$|\p{Default_Ignorable_Code_Point}/gu;

/** The same for names that are the same to some file system: in another case of letters, in another normal form. */
export function fold(name: string): string {
  // Up and down again: some letters are the same only above, as the long s and the s.
  return name.normalize("NFKD").replace(UNSEEN, "").toUpperCase().toLowerCase();
}

/** As fold(), for a path of this machine. */
export function foldPath(path: string): string {
  return path.split(sep).map(fold).join("/");
}

/** True for folded paths of which the one is, or lies below, the other. */
export function isAtOrBelow(path: string, top: string): boolean {
  return path === top || path.startsWith(top.endsWith("/") ? top : `${top}/`);
}
