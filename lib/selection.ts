import { isGlob, parseGlob, topOf } from "./glob.ts";
import { compileGlob } from "./glob-matcher.ts";
import { checkPath, isPlainPath, type PathKind } from "./path.ts";

/** Which entries a `list` or a `watch` is about. */
export interface Selection {
  /** Folder to begin in: the leading components that are plain names. */
  readonly top: string;
  matches(path: string): boolean;
  /**
   * Whether something in the folder can match. Any folder of the tree may be asked for, also `top` and those above it.
   */
  reaches(folder: string): boolean;
}

/**
 * The selection for a pattern over whole paths. A pattern without special characters is a name: see selectBelow().
 * @throws as parseGlob()
 */
export function selectGlob(pattern: string): Selection {
  const { matches, reaches } = compileGlob(parseGlob(pattern));
  return {
    top: topOf(pattern),
    matches: (path) => matches.test(path),
    reaches: (folder) => reaches.test(folder),
  };
}

/** Selects what is at a path, and below it. */
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

/** Selects everything below a folder. */
export function selectBelow(folder: string): Selection {
  return { top: folder, matches: () => true, reaches: () => true };
}

/** The part of a selection that a peer with this kind of paths may see. */
export function narrowTo(kind: PathKind, selection: Selection): Selection {
  if (kind === "any") return selection;
  const { top, matches, reaches } = selection;
  return {
    top,
    matches: (path) => isPlainPath(path) && matches(path),
    reaches: (folder) => isPlainPath(folder) && reaches(folder),
  };
}

/** A request to a repository: what is at a path, or what a pattern matches. */
export type Asked = { readonly path: string } | { readonly pattern: string };

/**
 * Check it: a `glob`, which is a pattern or a path, or a `path` that may look like a pattern; undefined is everything.
 * A slash after a folder's name is dropped.
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
