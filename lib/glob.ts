import { StorageError } from "./errors.ts";
import { checkPath, type PathKind } from "./path.ts";
import { quote } from "./quote.ts";

/** Limits of a pattern, since every path in the repository is matched against it. `length` is in UTF-16 units. */
export const GLOB_LIMITS = { length: 256, groups: 16, stars: 32, alternatives: 64 } as const;

/** Characters that make a text a pattern instead of a path. */
const MAGIC = /[*?[\]{}]/;
// Characters that no path may have can't be in a pattern either.
const NO_PATH = /\p{Cc}/u;

/** A character, or a placeholder: for any one, for one of a set of code points, or for any number of characters. */
export type GlobToken =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "one" }
  | { readonly kind: "some" }
  | { readonly kind: "set"; readonly isNegated: boolean; readonly ranges: readonly CodeRange[] };

/** From the first to the last code point, both included. */
export type CodeRange = readonly [from: number, to: number];

/** A pattern for one component, or `**` for any number of them. */
export type GlobComponent = "**" | readonly GlobToken[];

type Token = GlobToken | { readonly kind: "slash" };

/** True for a pattern, false for a path. */
export function isGlob(text: string): boolean {
  return MAGIC.test(text);
}

/** The pattern that matches exactly `text`. */
export function escapeGlob(text: string): string {
  return text.replace(/[*?[\]{}]/g, "[$&]");
}

/** The components before the first pattern: the folder that holds every match. "" is the root. */
export function topOf(pattern: string): string {
  const components = pattern.split("/");
  return components.slice(0, components.findIndex(isGlob)).join("/");
}

/**
 * The brace-free patterns that `pattern` stands for, each as its components: `pattern` matches what any of them
 * matches. `kind`: the paths that the caller knows. Source: PROTOCOL.md, "Patterns".
 *
 * @throws StorageError BAD_PATH when no path can match, or begin as the pattern does; BAD_PARAMS when it is malformed,
 * or exceeds GLOB_LIMITS
 */
export function parseGlob(pattern: string, kind: PathKind = "any"): GlobComponent[][] {
  const surplus = surplusOf(pattern);
  if (surplus !== undefined) throw refusal("BAD_PARAMS", pattern, `has more than ${surplus}`);
  if (NO_PATH.test(pattern) || !pattern.isWellFormed() || (kind === "plain" && pattern.includes("\\"))) {
    throw refusal("BAD_PATH", pattern, "has a character that no path may have");
  }
  const alternatives = new GlobParser(pattern).parse();
  const top = topOf(pattern);
  if (top !== "") checkPath(top, kind);
  return alternatives.map((tokens) => componentsOf(pattern, tokens));
}

/** The limit that the pattern exceeds, or undefined. */
function surplusOf(pattern: string): string | undefined {
  const { length, groups, stars } = GLOB_LIMITS;
  if (pattern.length > length) return `${length} characters`;
  if (pattern.split("{").length > groups + 1) return `${groups} of "{"`;
  if (pattern.split("*").length > stars + 1) return `${stars} of "*"`;
  return undefined;
}

/** Reads a pattern from left to right, and expands its braces. */
class GlobParser {
  readonly #pattern: string;
  /** In code points. */
  readonly #characters: readonly string[];
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
    this.#characters = [...pattern];
  }

  parse(): Token[][] {
    const alternatives = this.#sequence(0);
    if (this.#at < this.#characters.length) throw this.#fault('has a "}" without its "{"');
    return alternatives;
  }

  /** Reads up to the end, or to the end of an alternative in the present group. */
  #sequence(depth: number): Token[][] {
    let alternatives: Token[][] = [[]];
    for (;;) {
      const character = this.#characters[this.#at];
      if (character === undefined || character === "}" || (character === "," && depth > 0)) return alternatives;
      this.#at++;
      if (character === "{") {
        const group = this.#group(depth + 1);
        this.#requireFew(alternatives.length * group.length);
        alternatives = alternatives.flatMap((before) => group.map((after) => [...before, ...after]));
        continue;
      }
      const token = this.#token(character);
      for (const alternative of alternatives) alternative.push(token);
    }
  }

  #group(depth: number): Token[][] {
    const alternatives: Token[][] = [];
    for (let count = 1; ; count++) {
      alternatives.push(...this.#sequence(depth));
      this.#requireFew(alternatives.length);
      const end = this.#characters[this.#at++];
      if (end === undefined) throw this.#fault('has a "{" without its "}"');
      if (end === ",") continue;
      if (count === 1) throw this.#fault("has braces without a comma in them");
      return alternatives;
    }
  }

  #token(character: string): Token {
    switch (character) {
      case "/":
        return { kind: "slash" };
      case "?":
        return { kind: "one" };
      case "*":
        return { kind: "some" };
      case "[":
        return this.#set();
      case "]":
        throw this.#fault('has a "]" without its "["');
      default:
        return { kind: "text", text: character };
    }
  }

  #set(): GlobToken {
    const isNegated = ["!", "^"].includes(this.#characters[this.#at] ?? "");
    if (isNegated) this.#at++;
    const ranges: CodeRange[] = [];
    // A "]" that comes first is one of its characters.
    for (let isFirst = true; ; isFirst = false) {
      const from = this.#inSet();
      if (from === "]" && !isFirst) return { kind: "set", isNegated, ranges };
      if (from === "-" && !isFirst && this.#characters[this.#at] !== "]") {
        throw this.#fault('has a "-" in brackets that is neither between two characters nor at an end');
      }
      ranges.push(this.#range(from));
    }
  }

  /** The character `from` of a set, or the range that it begins. */
  #range(from: string): CodeRange {
    const first = codeOf(from);
    const isRange = this.#characters[this.#at] === "-" && this.#characters[this.#at + 1] !== "]";
    if (!isRange) return [first, first];
    this.#at++;
    const last = codeOf(this.#inSet());
    if (last < first) throw this.#fault("has a range that ends before it begins");
    return [first, last];
  }

  #inSet(): string {
    const character = this.#characters[this.#at++];
    if (character === undefined || character === "/") throw this.#fault('has a "[" without its "]"');
    // Elsewhere that is a character class, such as [[:digit:]]. Here it would silently mean something else.
    if (character === "[" && [":", ".", "="].includes(this.#characters[this.#at] ?? "")) {
      throw this.#fault('has a "[" in brackets, followed by one of ":.="');
    }
    return character;
  }

  #requireFew(alternatives: number): void {
    const most = GLOB_LIMITS.alternatives;
    if (alternatives > most) throw this.#fault(`has more than ${most} alternatives`);
  }

  #fault(what: string): StorageError {
    return refusal("BAD_PARAMS", this.#pattern, what);
  }
}

/** @throws StorageError BAD_PATH for a component that no path may have */
function componentsOf(pattern: string, tokens: readonly Token[]): GlobComponent[] {
  const components: GlobToken[][] = [[]];
  for (const token of tokens) {
    if (token.kind === "slash") components.push([]);
    else components.at(-1)?.push(token);
  }
  return components.map((component) => {
    const text = component.map((token) => (token.kind === "text" ? token.text : "*")).join("");
    if (text === "") throw refusal("BAD_PATH", pattern, "has an empty component");
    if (text === "." || text === "..") throw refusal("BAD_PATH", pattern, `has the component "${text}"`);
    const isStars = component.every(({ kind }) => kind === "some");
    if (isStars && component.length === 2) return "**";
    return component.filter(({ kind }, at) => kind !== "some" || component[at + 1]?.kind !== "some");
  });
}

function codeOf(character: string): number {
  return character.codePointAt(0) as number;
}

function refusal(code: "BAD_PARAMS" | "BAD_PATH", pattern: string, what: string): StorageError {
  return new StorageError(code, `The pattern ${quote(pattern)} ${what}.`);
}
