import { type CodeRange, type GlobComponent, type GlobToken, parseGlob } from "../../lib/glob.ts";

/**
 * Whether Bun.Glob matches a path with the pattern: another oracle for lib/glob-matcher.ts. On Windows it takes a backslash
 * for a slash.
 */
export function bunMatcher(pattern: string): (path: string) => boolean {
  const globs = parseGlob(pattern).map((components) => new Bun.Glob(components.map(globOf).join("/")));
  return (path) => globs.some((glob) => glob.match(path));
}

/** The same pattern for Bun.Glob, which has more special characters, and whose sets may contain a slash. */
function globOf(component: GlobComponent): string {
  return component === "**" ? component : component.map(globOfToken).join("");
}

function globOfToken(token: GlobToken): string {
  switch (token.kind) {
    case "one":
      return "?";
    case "some":
      return "*";
    case "text":
      return escaped(token.text);
    case "set":
      return token.isNegated
        ? `[!/${token.ranges.map(globOfRange).join("")}]`
        : `[${token.ranges.flatMap(withoutSlashIn).map(globOfRange).join("")}]`;
  }
}

const SLASH = 0x2f;

function withoutSlashIn([from, to]: CodeRange): CodeRange[] {
  if (from > SLASH || to < SLASH) return [[from, to]];
  const parts: CodeRange[] = [
    [from, SLASH - 1],
    [SLASH + 1, to],
  ];
  return parts.filter(([first, last]) => first <= last);
}

function globOfRange([from, to]: CodeRange): string {
  const first = escaped(String.fromCodePoint(from));
  return from === to ? first : `${first}-${escaped(String.fromCodePoint(to))}`;
}

/** A backslash removes the special meaning of the next character. */
function escaped(character: string): string {
  return /[!-,:-@[-^`{-~-]/.test(character) ? `\\${character}` : character;
}
