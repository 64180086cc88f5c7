import fs, { type BigIntStats } from "node:fs";
import { join, parse, resolve, sep } from "node:path";

/** The number of links that Linux follows. */
const MAX_LINKS = 40;

/** A name that is looked up on the way to a path. */
export interface Step {
  /** The folder that it is in. */
  readonly folder: BigIntStats;
  readonly name: string;
  /** True for the last name, not for that of a folder or a link on the way. */
  readonly isEnd: boolean;
}

/** The way to a path, as the system resolves it. */
export interface Trail {
  /** The names on the way, links included, up to the first missing one. */
  readonly steps: readonly Step[];
  /** The existing folders that the end lies in, by its real path, the system's root first. */
  readonly folders: readonly BigIntStats[];
  /** What is at the end, and its real path; undefined when nothing is there, or it is not accessible. */
  readonly end: Place | undefined;
  /** The real path of the end, or the one that it would have. */
  readonly real: string;
}

interface Place {
  readonly path: string;
  readonly stats: BigIntStats;
}

/** Follow the way to `path`. */
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

/** The start of the way (`from` for a relative path), and the names on it. */
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
