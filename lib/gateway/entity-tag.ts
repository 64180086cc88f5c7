/** Entity tags. Source: RFC 9110, section 8.8.3. */

/** The strong tag of a state; the state is any text. */
export function entityTag(state: string): string {
  return `"${encodeURIComponent(state)}"`;
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
