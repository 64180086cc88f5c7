/** Lines of digests as `sha256sum` writes them, and what others write for it to check. */

/** A name and the digest that its file must have, in lower case. */
export interface SumLine {
  readonly name: string;
  readonly sha256: string;
}

/** `sha256sum` and `shasum -a 256`: two blanks, or one and a star. The backslash tells that the name is escaped. */
const LINE = /^(\\?)([0-9A-Fa-f]{64}) [ *](.+)$/s;
/** `sha256sum --tag`, and the BSDs. */
const TAGGED = /^(\\?)SHA256 \((.+)\) ?= ?([0-9A-Fa-f]{64})$/s;

/** A line without its end. No path of a repository has a line feed or a carriage return. */
export function formatSum(path: string, sha256: string): string {
  if (!path.includes("\\")) return `${sha256}  ${path}`;
  return `\\${sha256}  ${path.replaceAll("\\", "\\\\")}`;
}

/** @returns undefined for a line that is not of this form; "comment" for one that says nothing */
export function parseSum(line: string): SumLine | "comment" | undefined {
  if (line.startsWith("#")) return "comment";
  const [, mark, sha256, escaped] = LINE.exec(line) ?? taggedParts(line);
  if (sha256 === undefined || escaped === undefined) return undefined;
  const name = mark === "\\" ? unescapeName(escaped) : escaped;
  return name === undefined ? undefined : { name, sha256: sha256.toLowerCase() };
}

function taggedParts(line: string): (string | undefined)[] {
  const [whole, mark, name, sha256] = TAGGED.exec(line) ?? [];
  return [whole, mark, sha256, name];
}

const ESCAPED: Readonly<Record<string, string>> = { "\\\\": "\\", "\\n": "\n", "\\r": "\r" };

/** @returns undefined when it has another escape */
function unescapeName(escaped: string): string | undefined {
  const parts = escaped.match(/\\.?|[^\\]+/gs) ?? [];
  const names = parts.map((part) => (part.startsWith("\\") ? ESCAPED[part] : part));
  return names.includes(undefined) ? undefined : names.join("");
}
