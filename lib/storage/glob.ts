import { type CodeRange, type GlobComponent, type GlobToken, isGlob, parseGlob, topOf } from "../glob.ts";
import { checkPath, isPlainPath, type PathKind } from "../path.ts";

/** Which entries a `list` or a `watch` is about. */
export interface Selection {
  /** Folder to begin in: the leading components that are plain names. */
  readonly top: string;
  matches(path: string): boolean;
  /** Whether something in the folder can match, wherever in the tree it is: `top` and those above it included. */
  reaches(folder: string): boolean;
}

/** The selection for a pattern over whole paths. Without magic it is a name: see selectBelow(). @throws as parseGlob() */
export function selectGlob(pattern: string, platform: NodeJS.Platform = process.platform): Selection {
  const alternatives = parseGlob(pattern).map((components) => new Alternative(components, platform === "win32"));
  const [only] = alternatives;
  const isOne = only !== undefined && alternatives.length === 1;
  return {
    top: topOf(pattern),
    matches: isOne ? (path) => only.matches(path) : (path) => alternatives.some((each) => each.matches(path)),
    reaches: (folder) => alternatives.some((each) => each.reaches(folder)),
  };
}

/** A pattern without braces. */
class Alternative {
  readonly #whole: Bun.Glob;
  /** For what stands above: the first so many components. The last of them are all when any number may follow. */
  readonly #beginnings: readonly Bun.Glob[];
  readonly #isDeep: boolean;
  readonly #isMasked: boolean;

  /** `isMasked`: where Bun.Glob takes a backslash of a path for a slash. */
  constructor(components: readonly GlobComponent[], isMasked: boolean) {
    this.#isMasked = isMasked;
    const globs = components.map((component) => globOf(component, isMasked));
    this.#whole = new Bun.Glob(globs.join("/"));
    const deep = components.indexOf("**");
    this.#isDeep = deep >= 0;
    const above = this.#isDeep ? deep : components.length - 1;
    this.#beginnings = globs.slice(0, above).map((_, index) => new Bun.Glob(globs.slice(0, index + 1).join("/")));
  }

  matches(path: string): boolean {
    return this.#whole.match(this.#isMasked ? masked(path) : path);
  }

  reaches(folder: string): boolean {
    const shown = this.#isMasked ? masked(folder) : folder;
    const names = shown.split("/");
    const known = this.#beginnings.length;
    if (names.length <= known) return this.#beginnings[names.length - 1]?.match(shown) === true;
    if (!this.#isDeep) return false;
    return known === 0 || this.#beginnings[known - 1]?.match(names.slice(0, known).join("/")) === true;
  }
}

/** What is at a path, and below it. */
export function selectAt(path: string): Selection {
  return {
    top: path,
    matches: (other) => other === path || isBelow(other, path),
    reaches: (folder) => isBelow(path, folder),
  };
}

function isBelow(path: string, folder: string): boolean {
  return folder === "" || path.startsWith(`${folder}/`);
}

/** Everything below a folder. */
export function selectBelow(folder: string): Selection {
  return { top: folder, matches: () => true, reaches: () => true };
}

/** Of a selection what whoever asks can be told of. */
export function narrowTo(kind: PathKind, selection: Selection): Selection {
  if (kind === "any") return selection;
  const { top, matches, reaches } = selection;
  return {
    top,
    matches: (path) => isPlainPath(path) && matches(path),
    reaches: (folder) => isPlainPath(folder) && reaches(folder),
  };
}

/** What somebody asks a repository for: what is at a path, or what a pattern matches. */
export type Asked = { readonly path: string } | { readonly pattern: string };

/**
 * Check it: a `glob`, which is a pattern or a path, or a `path` that may look like a pattern; undefined is everything. A
 * folder may be written with its slash, which is left out.
 *
 * @throws StorageError as checkPath() and parseGlob()
 */
export function checkAsked(
  params: { glob?: string | undefined; path?: string | undefined },
  kind: PathKind = "any",
): Asked | undefined {
  const { glob, path = glob } = params;
  if (path === undefined) return undefined;
  if (path !== glob || !isGlob(path)) return { path: checkPath(withoutSlash(path), kind) };
  parseGlob(path, kind);
  return { pattern: path };
}

function withoutSlash(path: string): string {
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}

/** The same for Bun.Glob, for which more characters mean something, and in whose sets a slash is a character. */
function globOf(component: GlobComponent, isMasked: boolean): string {
  return component === "**" ? component : component.map((token) => globOfToken(token, isMasked)).join("");
}

function globOfToken(token: GlobToken, isMasked: boolean): string {
  switch (token.is) {
    case "one":
      return "?";
    case "some":
      return "*";
    case "text":
      return escaped(isMasked ? masked(token.text) : token.text);
    case "set": {
      const ranges = isMasked ? token.ranges.flatMap(withMask) : token.ranges;
      return token.isNegated
        ? `[!/${ranges.map(globOfRange).join("")}]`
        : `[${ranges.flatMap(withoutSlashIn).map(globOfRange).join("")}]`;
    }
  }
}

const BACKSLASH = 0x5c;
/** Stands for a backslash on Windows: no path has it. */
const MASK = 0x01;

function masked(text: string): string {
  return text.replaceAll("\\", String.fromCodePoint(MASK));
}

function withMask([from, to]: CodeRange): CodeRange[] {
  if (from > BACKSLASH || to < BACKSLASH) return [[from, to]];
  const parts: CodeRange[] = [
    [from, BACKSLASH - 1],
    [BACKSLASH + 1, to],
  ];
  return [...parts.filter(([first, last]) => first <= last), [MASK, MASK]];
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

/** A backslash takes the meaning from what is behind it. */
function escaped(character: string): string {
  return /[!-,:-@[-^`{-~-]/.test(character) ? `\\${character}` : character;
}
