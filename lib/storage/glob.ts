/** Characters that make a component a pattern instead of a name. */
const MAGIC = /[*?[\]{}]/;

/** Which entries a `list` is about. */
export interface Selection {
  /** Folder to begin in: the leading components that are plain names. */
  readonly top: string;
  matches(path: string): boolean;
  /** Whether anything below the folder can match. */
  enter(folder: string): boolean;
}

/**
 * The selection for a pattern over whole paths: `*` and `?` within a component, `**` over several,
 * `[a-z]`, `{a,b}`. Without any of these the pattern is a name: see selectBelow().
 */
export function selectGlob(pattern: string): Selection {
  const components = pattern.split("/");
  const firstMagic = components.findIndex((component) => MAGIC.test(component));
  // In front, "!" would turn the pattern round for Bun.
  const glob = new Bun.Glob(pattern.replace(/^!/, "\\!"));
  const anyDepth = components.includes("**") || pattern.includes("{");
  return {
    top: components.slice(0, firstMagic).join("/"),
    matches: (path) => glob.match(path),
    enter: (folder) => anyDepth || folder.split("/").length < components.length,
  };
}

/** Everything below a folder. */
export function selectBelow(folder: string): Selection {
  return { top: folder, matches: () => true, enter: () => true };
}

export function isGlob(pattern: string): boolean {
  return MAGIC.test(pattern);
}
