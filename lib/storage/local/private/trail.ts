import fs, { type BigIntStats } from "node:fs";
import { join, parse, resolve, sep } from "node:path";

/** As many links as Linux follows. */
const MAX_LINKS = 40;

/** A name that is looked up on the way to a path. */
export interface Step {
  /** In which folder. */
  readonly folder: BigIntStats;
  readonly name: string;
  /** True for the name of the end itself, not for that of a folder or a link on the way to it. */
  readonly isEnd: boolean;
}

/** The way to a path, as the system resolves it. */
export interface Trail {
  /** The names on the way, those of links, too; up to the first that is missing. */
  readonly steps: readonly Step[];
  /** The folders that the end lies in, by its real path, the root of the system first; as far as they are there. */
  readonly folders: readonly BigIntStats[];
  /** What is there, and its real path; undefined when there is nothing, or nothing that may be looked at. */
  readonly end: Place | undefined;
  /** The real path of the end, or the one that it would have. */
  readonly real: string;
}

interface Place {
  readonly path: string;
  readonly stats: BigIntStats;
}

/** Go the way to `path`. */
export function trailOf(path: string): Trail {
  const steps: Step[] = [];
  let { at, names } = begin(resolve(path), []);
  for (let links = 0; names.length > 0; ) {
    const name = names.shift() as string;
    if (name === "..") {
      if (at.length > 1) at.pop();
      continue;
    }
    const here = at[at.length - 1] as Place;
    const place = join(here.path, name);
    const stats = look(() => fs.lstatSync(place, { bigint: true, throwIfNoEntry: false }));
    const target = stats?.isSymbolicLink() && ++links <= MAX_LINKS ? look(() => fs.readlinkSync(place)) : undefined;
    steps.push({ folder: here.stats, name, isEnd: names.length === 0 && target === undefined });
    if (target !== undefined) {
      const next = begin(target, at);
      at = next.at;
      names = [...next.names, ...names];
    } else if (stats === undefined || (names.length > 0 && !stats.isDirectory())) {
      return { steps, folders: at.map((each) => each.stats), end: undefined, real: join(place, ...names) };
    } else at.push({ path: place, stats });
  }
  const end = at[at.length - 1] as Place;
  return { steps, folders: at.slice(0, -1).map((each) => each.stats), end, real: end.path };
}

/** Where the way begins, which is `from` for a path that is not absolute, and its names. */
function begin(path: string, from: readonly Place[]): { at: Place[]; names: string[] } {
  const { root } = parse(path);
  const names = path
    .slice(root.length)
    .split(sep)
    .filter((name) => name !== "" && name !== ".");
  return { at: root === "" ? [...from] : [{ path: root, stats: fs.statSync(root, { bigint: true }) }], names };
}

function look<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined; // missing or unreadable
  }
}
