import type { StorageEntry } from "../storage/storage.ts";

/** Entity tags. Source: RFC 9110, section 8.8.3. */

/** The strong tag of a state; the state is any text. */
export function entityTag(state: string): string {
  return `"${encodeURIComponent(state)}"`;
}

/**
 * A date, which has whole seconds, identifies a state only when the last change is older than this. So does the time of a
 * file on a disk that keeps whole seconds, or two.
 */
export const STRONG_DATE_MS = 2_000;

/** Whether further changes of a file with this time show in its time, on every disk. Both in milliseconds since 1970. */
export function isSettled(modifiedAt: number, now: number): boolean {
  return modifiedAt % 1_000 !== 0 || Math.abs(now - modifiedAt) >= STRONG_DATE_MS;
}

/** The tag of a file. While a change would not show, it is weak and unlike any other, so that nothing matches it. */
export function tagOf({ etag, modifiedAt }: Pick<StorageEntry, "etag" | "modifiedAt">, now: number): string {
  return isSettled(modifiedAt, now) ? entityTag(etag) : passingTag(etag);
}

/** A weak tag that is given once. */
export function passingTag(state: string): string {
  return `W/${entityTag(`${state}-${crypto.randomUUID()}`)}`;
}

/** Read a list of tags, as in If-Match; undefined when it is not one. */
export function parseTags(value: string): "any" | readonly string[] | undefined {
  if (value.trim() === "*") return "any";
  const tags: string[] = [];
  const tag = /[ \t]*((?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?:,|$)|[ \t]*,/y;
  while (tag.lastIndex < value.length) {
    const found = tag.exec(value);
    if (found === null) return undefined;
    if (found[1] !== undefined) tags.push(found[1]);
  }
  return tags.length === 0 ? undefined : tags;
}

/** The strong comparison: both strong, and the same. */
export function isSameStrong(one: string, other: string): boolean {
  return one === other && !one.startsWith("W/");
}

/** The weak comparison: the same, strong or not. */
export function isSameWeak(one: string, other: string): boolean {
  return one.replace(/^W\//, "") === other.replace(/^W\//, "");
}
