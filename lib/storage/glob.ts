import { StorageError } from "../errors.ts";
import { checkPath, quote } from "../path.ts";

/** What a pattern may be made of: each path that there is costs a match. Its length is in UTF-16 units. */
export const GLOB_LIMITS = { length: 256, braces: 16, stars: 32 } as const;

/** Characters that make a component a pattern instead of a name. */
const MAGIC = /[*?[\]{}]/;

/** Which entries a `list` is about. */
export interface Selection {
  /** Folder to begin in: the leading components that are plain names. */
  readonly top: string;
  matches(path: string): boolean;
  /** Whether anything below the folder can match. */
  enter(folder: string): boolean;
  /** The same for a folder wherever in the tree it is, `top` and those above it included. */
  reaches(folder: string): boolean;
}

/**
 * The selection for a pattern over whole paths: `*` and `?` within a component, `**` over several,
 * `[a-z]`, `{a,b}`. Without any of these the pattern is a name: see selectBelow().
 */
export function selectGlob(pattern: string): Selection {
  const components = pattern.split("/");
  const firstMagic = components.findIndex((component) => MAGIC.test(component));
  // In front, "!" would turn the pattern round for Bun.
  const globOf = (parts: readonly string[]) => new Bun.Glob(parts.join("/").replace(/^!/, "\\!"));
  const glob = globOf(components);
  const anyDepth = components.includes("**") || pattern.includes("{");
  const top = components.slice(0, firstMagic).join("/");
  const globsAbove = anyDepth ? [] : components.slice(0, -1).map((_, index) => globOf(components.slice(0, index + 1)));
  return {
    top,
    matches: (path) => glob.match(path),
    enter: (folder) => anyDepth || folder.split("/").length < components.length,
    reaches(folder) {
      if (anyDepth) return folder === top || isBelow(folder, top) || isBelow(top, folder);
      return globsAbove[folder.split("/").length - 1]?.match(folder) ?? false;
    },
  };
}

/** What is at a path, and below it. */
export function selectAt(path: string): Selection {
  return {
    top: path,
    matches: (other) => other === path || isBelow(other, path),
    enter: () => true,
    reaches: (folder) => isBelow(path, folder),
  };
}

function isBelow(path: string, folder: string): boolean {
  return folder === "" || path.startsWith(`${folder}/`);
}

/** Everything below a folder. */
export function selectBelow(folder: string): Selection {
  return { top: folder, matches: () => true, enter: () => true, reaches: () => true };
}

/**
 * Check what somebody asks a repository for: a pattern, or the name of a file or folder. A folder may be written with
 * its slash, which is left out.
 *
 * @throws StorageError BAD_PATH when it is no path, or begins in none; BAD_PARAMS for a pattern beyond GLOB_LIMITS
 */
export function checkGlob(glob: string): string {
  if (!isGlob(glob)) return checkPath(glob.length > 1 && glob.endsWith("/") ? glob.slice(0, -1) : glob);
  const fault = costFault(glob);
  if (fault !== undefined) throw new StorageError("BAD_PARAMS", `The pattern ${quote(glob)} has more than ${fault}.`);
  const { top } = selectGlob(glob);
  if (top !== "") checkPath(top);
  return glob;
}

/** What the pattern has too much of, or undefined. */
function costFault(pattern: string): string | undefined {
  const { length, braces, stars } = GLOB_LIMITS;
  if (pattern.length > length) return `${length} characters`;
  if (pattern.split("{").length > braces + 1) return `${braces} of "{"`;
  if (pattern.split("*").length > stars + 1) return `${stars} of "*"`;
  return undefined;
}

export function isGlob(pattern: string): boolean {
  return MAGIC.test(pattern);
}
