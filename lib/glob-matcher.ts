import type { CodeRange, GlobComponent, GlobToken } from "./glob.ts";

/** What a pattern matches, and which folders can hold something that it matches: for `test()`. */
export interface CompiledGlob {
  readonly matches: RegExp;
  readonly reaches: RegExp;
}

/**
 * Compile the brace-free patterns that a pattern stands for. The time of a match is bounded by the product of both
 * lengths: the part between two `**`, or between two `*` of a component, matches where it first occurs, without
 * backtracking. Source: PROTOCOL.md, "Patterns".
 */
export function compileGlob(alternatives: readonly (readonly GlobComponent[])[]): CompiledGlob {
  const [whole, above] = [new SourceWriter(), new SourceWriter()];
  return {
    matches: regexOf(alternatives.map((components) => whole.path(components))),
    reaches: regexOf(alternatives.map((components) => above.folders(components))),
  };
}

function regexOf(alternatives: readonly string[]): RegExp {
  return new RegExp(`^(?:${alternatives.join("|")})$`, "su");
}

const ANY = "[^\\/]";

/** Writes the parts of one regular expression. */
class SourceWriter {
  #groups = 0;

  path(components: readonly GlobComponent[]): string {
    const blocks = blocksOf(components);
    const last = blocks.pop() ?? [];
    const sources = blocks.map((block, index) => {
      const names = block.map((tokens) => `${this.#name(tokens)}\\/`).join("");
      return index === 0 || names === "" ? names : this.#atomic(`(?:.*?\\/)??${names}`);
    });
    if (last.length === 0) return `${sources.join("")}.+`;
    const end = last.map((tokens) => this.#name(tokens)).join("\\/");
    return `${sources.join("")}${blocks.length > 0 ? "(?:.*\\/)?" : ""}${end}`;
  }

  /** The folders on the way to the first `**`, and everything below it. */
  folders(components: readonly GlobComponent[]): string {
    const deep = components.indexOf("**");
    const above = deep < 0 ? components.slice(0, -1) : components.slice(0, deep);
    const below = deep < 0 ? "" : ".*";
    if (above.length === 0) return below || "(?!)";
    return above.reduceRight<string>((rest, component) => {
      const name = component === "**" ? "" : this.#name(component);
      return rest === "" ? name : `${name}(?:\\/${rest})?`;
    }, below);
  }

  #name(tokens: readonly GlobToken[]): string {
    const parts: string[] = [""];
    for (const token of tokens) {
      if (token.kind === "some") parts.push("");
      else parts.push(`${parts.pop()}${sourceOf(token)}`);
    }
    const [first = "", ...others] = parts;
    const last = others.pop();
    if (last === undefined) return first;
    const between = others.map((part) => this.#atomic(`${ANY}*?${part}`));
    return `${first}${between.join("")}${ANY}*${last}`;
  }

  /** Once `source` has matched, no other way is tried. */
  #atomic(source: string): string {
    const name = `g${this.#groups++}`;
    return `(?=(?<${name}>${source}))\\k<${name}>`;
  }
}

/** The components before, between and after each `**`. */
function blocksOf(components: readonly GlobComponent[]): (readonly GlobToken[])[][] {
  const blocks: (readonly GlobToken[])[][] = [[]];
  for (const component of components) {
    if (component === "**") blocks.push([]);
    else blocks.at(-1)?.push(component);
  }
  return blocks;
}

const SLASH = 0x2f;

function sourceOf(token: Exclude<GlobToken, { kind: "some" }>): string {
  switch (token.kind) {
    case "one":
      return ANY;
    case "text":
      return quoted(token.text.codePointAt(0) as number);
    case "set": {
      const ranges = token.ranges.map(([from, to]) => `${quoted(from)}-${quoted(to)}`).join("");
      if (token.isNegated) return `[^\\/${ranges}]`;
      return `${token.ranges.some(holdsSlash) ? "(?!\\/)" : ""}[${ranges}]`;
    }
  }
}

function holdsSlash([from, to]: CodeRange): boolean {
  return from <= SLASH && SLASH <= to;
}

/** A code point that stands for itself. */
function quoted(code: number): string {
  const character = String.fromCodePoint(code);
  return /[A-Za-z0-9]/.test(character) ? character : `\\u{${code.toString(16)}}`;
}
