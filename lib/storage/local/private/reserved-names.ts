import { sep } from "node:path";
import { fold, foldPath } from "../../../fold.ts";

/**
 * "private": it names something private; "way": it leads to something private, and must continue to; "alike": some file
 * systems take it for the name of a "way".
 */
export type Reservation = "private" | "way" | "alike";

/** Names in one folder that others may not use. */
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

/** As foldPath(), for a path of this machine. */
export function foldLocalPath(path: string): string {
  return foldPath(path.replaceAll(sep, "/"));
}

/** True when the folded `path` is `top`, or lies below it. */
export function isAtOrBelow(path: string, top: string): boolean {
  return path === top || path.startsWith(top.endsWith("/") ? top : `${top}/`);
}
