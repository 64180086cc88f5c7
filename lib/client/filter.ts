import ignore, { type Ignore } from "ignore";

/** Paths after which a matcher is replaced, since it remembers all that it has tested. About 2 MB. */
const RENEWED_AFTER = 10_000;

/** What is taken of a tree. Patterns are those of gitignore, and case counts; the last one that matches decides. */
export interface FilterRules {
  /** Lines of files with patterns. */
  readonly lines: readonly string[];
  /** Patterns of what is left out. */
  readonly exclude: readonly string[];
  /** Patterns of what is taken all the same. With neither `lines` nor `exclude`, everything else is left out. */
  readonly include: readonly string[];
  /** The most bytes of a file. */
  readonly maxBytes?: number | undefined;
  /** The earliest modification time of a file, in milliseconds since 1970. */
  readonly changedSince?: number | undefined;
}

interface Facts {
  /** Below the folder that is moved or listed. */
  readonly path: string;
  readonly kind: string;
  /** In bytes. */
  readonly size: number;
  /** In milliseconds since 1970. */
  readonly modifiedAt: number;
}

/** Decides what is taken of a tree. To leave out a folder is to leave out everything in it. */
export class Filter {
  readonly #rules: FilterRules;
  readonly #matcher: Matcher;
  /** Patterns that have matched nothing yet, each with its own matcher. */
  readonly #unmatched: Map<string, Matcher>;
  /** False when folders come only with files that are taken. */
  readonly takesEmptyFolders: boolean;

  constructor(rules: FilterRules) {
    const { lines, exclude, include, maxBytes, changedSince } = rules;
    this.#rules = rules;
    const isOnlyInclude = lines.length + exclude.length === 0 && include.length > 0;
    this.takesEmptyFolders = !isOnlyInclude && maxBytes === undefined && changedSince === undefined;
    this.#matcher = new Matcher([
      // Folders are entered, to find in them what is included.
      ...(isOnlyInclude ? ["*", "!*/"] : []),
      ...lines,
      ...exclude,
      ...include.flatMap((pattern) => [`!${pattern}`, `!${contentsOf(pattern)}`]),
    ]);
    this.#unmatched = new Map([...exclude, ...include].map((pattern) => [pattern, new Matcher([pattern])]));
  }

  /** Patterns of `exclude` and `include` that no path has matched so far. */
  get unmatched(): readonly string[] {
    return [...this.#unmatched.keys()];
  }

  /** Whether the folder at `path`, and so anything in it, can be taken. */
  enters(path: string): boolean {
    return this.#allows(`${path}/`);
  }

  /** Whether the patterns leave out what is at `path`, be it a folder or not. "" is the whole tree. */
  excludes(path: string): boolean {
    return path !== "" && (!this.#allows(path) || !this.enters(path));
  }

  takes({ path, kind, size, modifiedAt }: Facts): boolean {
    if (kind === "folder") return this.enters(path);
    const { maxBytes = Number.POSITIVE_INFINITY, changedSince = Number.NEGATIVE_INFINITY } = this.#rules;
    return this.#allows(path) && size <= maxBytes && modifiedAt >= changedSince;
  }

  /** Whether a path passes the patterns. That of a folder ends with a slash. */
  #allows(path: string): boolean {
    for (const [pattern, matcher] of this.#unmatched) if (matcher.matches(path)) this.#unmatched.delete(pattern);
    return !this.#matcher.matches(path);
  }
}

/** What is in a folder that `pattern` names, at the same places. */
function contentsOf(pattern: string): string {
  const folder = pattern.replace(/\/$/, "");
  return folder.includes("/") ? `${folder}/**` : `**/${folder}/**`;
}

/** Patterns as one, in bounded memory. */
class Matcher {
  readonly #patterns: readonly string[];
  #matcher: Ignore;
  #tested = 0;

  constructor(patterns: readonly string[]) {
    this.#patterns = patterns;
    this.#matcher = newMatcher(patterns);
  }

  matches(path: string): boolean {
    if (this.#tested++ === RENEWED_AFTER) {
      this.#tested = 1;
      this.#matcher = newMatcher(this.#patterns);
    }
    return this.#matcher.ignores(path);
  }
}

function newMatcher(patterns: readonly string[]): Ignore {
  // Repository paths need no check: none begins with "./" or "../".
  return ignore({ ignoreCase: false, allowRelativePaths: true }).add(patterns);
}
