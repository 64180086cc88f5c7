import type { CommError } from "../errors.ts";
import { isGlob } from "../glob.ts";
import { type DigestFilesOptions, digestFiles } from "./digest-files.ts";
import { planFetch } from "./fetch-plan.ts";
import type { LeftOutThing } from "./left-out.ts";
import { PathSet } from "./path-set.ts";
import { prefetch } from "./prefetch.ts";

export interface DigestSourcesOptions extends DigestFilesOptions {
  /** The sources are names, even if they look like patterns. */
  readonly areNames?: boolean;
  /** Something in a folder, or matched by a pattern, that has no digest, which is not a failure. */
  onLeftOut(left: LeftOutThing): void;
}

/**
 * The SHA-256 of all files in the sources, one source after the other: files, folders and patterns of the repository;
 * "" is everything.
 *
 * @throws as digestFiles()
 */
export async function digestSources(sources: readonly string[], options: DigestSourcesOptions): Promise<void> {
  if (options.areNames) return digestNames(sources, options);
  for (let from = 0; from < sources.length; ) {
    const end = sources.findIndex((source, at) => at >= from && !isName(source));
    const names = sources.slice(from, end === -1 ? undefined : end);
    await digestNames(names, options);
    from += names.length;
    const other = sources[from++];
    if (other !== undefined) await digestFound(other, options);
  }
}

/** False for everything and for what may be a pattern. */
function isName(source: string): boolean {
  return source !== "" && !isGlob(source);
}

/** Most names are files, so the first request asks for their digests. What follows a folder waits for its files. */
async function digestNames(names: readonly string[], options: DigestSourcesOptions): Promise<void> {
  const { onDigest, onFailed } = options;
  for (let from = 0; from < names.length; ) {
    const waiting: (() => void | Promise<void>)[] = [];
    const inTurn = (tell: () => void | Promise<void>, isFolder = false) => {
      if (!isFolder && waiting.length === 0) return tell();
      waiting.push(tell);
    };
    const some = names.slice(from, from + MAX_WAITING);
    await digestFiles(some, {
      ...options,
      onDigest: (path, digest) => inTurn(() => onDigest(path, digest)),
      onFailed: (path, error) =>
        error.code === "NOT_A_FILE"
          ? inTurn(() => digestFound(path, options), true)
          : inTurn(() => onFailed(path, error)),
    });
    for (const tell of waiting) await tell();
    from += some.length;
  }
}

/** The most answers that wait for the files of a folder before them. */
const MAX_WAITING = 1_024;

/** All files in a folder, or that match a pattern. */
async function digestFound(source: string, options: DigestSourcesOptions): Promise<void> {
  const { connection, digest64, signal, onFailed, onLeftOut } = options;
  // After a lost link the list begins again: each path is told once.
  const [asked, failed, left] = [new PathSet(digest64), new PathSet(digest64), new PathSet(digest64)];
  const events = {
    onPlanned: () => {},
    onFailed: (path: string, error: CommError) => void (failed.add(path) && onFailed(path, error)),
    onLeftOut: (thing: LeftOutThing) => void (left.add(`${thing.count ?? 1} ${thing.path}`) && onLeftOut(thing)),
  };
  await connection.persist(async (client) => {
    const plan = planFetch(client, { sources: [source], naming: { into: "" }, signal, ...events });
    for await (const items of prefetch(plan, () => {})) {
      const files = items.filter(({ kind, from }) => kind === "file" && asked.add(from));
      await digestFiles(
        files.map(({ from }) => from),
        options,
      );
    }
  });
}
