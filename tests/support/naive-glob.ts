/**
 * Patterns exactly as in PROTOCOL.md, "Patterns", step by step and slowly: the oracle for lib/glob.ts and
 * lib/glob-matcher.ts.
 */

/** Whether a well-formed pattern matches a path. */
export function naiveMatch(pattern: string, path: string): boolean {
  return expand(pattern).some((plain) => matchComponents(plain.split("/"), path.split("/")));
}

/** The brace-free patterns that it expands to, as texts. */
export function expand(pattern: string): string[] {
  const open = braceOf(pattern);
  if (open === undefined) return [pattern];
  const { start, end, commas } = open;
  const cuts = [start, ...commas, end];
  const inner = cuts.slice(1).map((cut, at) => pattern.slice((cuts[at] as number) + 1, cut));
  return inner.flatMap((each) => expand(pattern.slice(0, start) + each + pattern.slice(end + 1)));
}

/** The first group of braces: where it begins and ends, and its own commas. */
function braceOf(pattern: string): { start: number; end: number; commas: number[] } | undefined {
  let start: number | undefined;
  const commas: number[] = [];
  let depth = 0;
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at];
    if (character === "[") at = endOfSet(pattern, at);
    else if (character === "{" && depth++ === 0) start = at;
    else if (character === "," && depth === 1) commas.push(at);
    else if (character === "}" && --depth === 0 && start !== undefined) return { start, end: at, commas };
  }
  return undefined;
}

/** The end of the set that begins at `at`. */
function endOfSet(pattern: string, at: number): number {
  const first = "!^".includes(pattern[at + 1] ?? " ") ? at + 2 : at + 1;
  return pattern.indexOf("]", first + 1);
}

function matchComponents(patterns: readonly string[], names: readonly string[]): boolean {
  const [pattern, ...rest] = patterns;
  if (pattern === undefined) return names.length === 0;
  if (pattern === "**") {
    if (rest.length === 0) return names.length > 0;
    return [...names, ""].some((_, skipped) => matchComponents(rest, names.slice(skipped)));
  }
  const [name, ...below] = names;
  return name !== undefined && regexOf(pattern).test(name) && matchComponents(rest, below);
}

function regexOf(pattern: string): RegExp {
  let source = "";
  for (let at = 0; at < pattern.length; at++) {
    const character = String.fromCodePoint(pattern.codePointAt(at) as number);
    if (character === "*") source += ".*";
    else if (character === "?") source += ".";
    else if (character === "[") {
      const end = endOfSet(pattern, at);
      source += setOf(pattern.slice(at + 1, end));
      at = end;
    } else {
      source += quoted(character);
      at += character.length - 1;
    }
  }
  return new RegExp(`^${source}$`, "us");
}

function setOf(inner: string): string {
  const isNegated = "!^".includes(inner[0] ?? " ");
  const members = [...(isNegated ? inner.slice(1) : inner)];
  let source = "";
  while (members.length > 0) {
    const from = members.shift() as string;
    source += quoted(from);
    if (members[0] === "-" && members.length > 1) {
      members.shift();
      source += `-${quoted(members.shift() as string)}`;
    }
  }
  return isNegated ? `[^${source}]` : `[${source}]`;
}

function quoted(character: string): string {
  return `\\u{${(character.codePointAt(0) as number).toString(16)}}`;
}
