/**
 * The flags of a command: strings, booleans, lists for flags that may be given several times (`VALUE…` in their
 * definition), and `_` with the words that are not flags.
 */
export type Flags = Record<string, unknown> & { readonly _: readonly string[] };

/** Where the value of a flag comes from. */
export type Origin =
  | { readonly kind: "flag" | "default" }
  | { readonly kind: "environment"; readonly variable: string }
  /** `line` is undefined where it can't be told. */
  | { readonly kind: "file"; readonly file: string; readonly line: number | undefined };

const OF_FLAGS = new WeakMap<Flags, ReadonlyMap<string, Origin>>();

/** Note the origins of flags; the others have their default. */
export function noteOrigins<T extends Flags>(flags: T, origins: ReadonlyMap<string, Origin>): T {
  OF_FLAGS.set(flags, origins);
  return flags;
}

export function originOf(flags: Flags, name: string): Origin {
  const origins = OF_FLAGS.get(flags);
  // Flags that no command line has made.
  if (origins === undefined) return { kind: flags[name] === undefined ? "default" : "flag" };
  return origins.get(name) ?? { kind: "default" };
}

/** Whether the flag is on the command line: one that is configured may have no use for a command, a typed one must. */
export function isTyped(flags: Flags, name: string): boolean {
  return originOf(flags, name).kind === "flag";
}

/** Flags without the configured ones of `names`, which the command has no use for. */
export function withoutConfigured(flags: Flags, names: readonly string[]): Flags {
  const origins = OF_FLAGS.get(flags);
  if (origins === undefined) return flags;
  const left = names.filter((name) => !isTyped(flags, name));
  const kept = Object.fromEntries(Object.entries(flags).filter(([name]) => !left.includes(name)));
  return noteOrigins({ ...kept, _: flags._ }, origins);
}

/** `COMMSERVER_PORT`, or `/etc/commserver/server.toml, line 3`; undefined for a flag or a default. */
export function placeOf(origin: Origin): string | undefined {
  if (origin.kind === "environment") return origin.variable;
  if (origin.kind !== "file") return undefined;
  return origin.line === undefined ? origin.file : `${origin.file}, line ${origin.line}`;
}
