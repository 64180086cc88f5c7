/** Unfinished files that a `kill -9` may leave, and that no command ever goes on with: bounded, and cleaned after a week. */
export function isOrphan(path: string, unfinished: ReadonlySet<string>): boolean {
  // A small file on its way to its name.
  if (/\.[0-9a-f]{8}\.commserver-part$/.test(path)) return true;
  // Whatever it was the lock of tells by itself.
  if (path.endsWith(".commserver-lock")) return true;
  // A journal whose part has just got its name.
  return path.endsWith(".commserver-journal") && !unfinished.has(path.replace(/journal$/, "part"));
}

/** What `put --rename` was interrupted in: the next run may find another name, and does not go on with this one. */
export function isOfRename(path: string): boolean {
  return / \(\d+\)(\.[^/]*)?\.commserver-(part|journal|lock)$/.test(path);
}

/** Those of `unfinished` that nothing explains. */
export function unexplained(unfinished: readonly string[], mayHaveOrphans: boolean): string[] {
  const all = new Set(unfinished);
  return unfinished.filter((path) => !isOfRename(path) && !(mayHaveOrphans && isOrphan(path, all)));
}
