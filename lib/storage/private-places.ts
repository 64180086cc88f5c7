import fs, { type BigIntStats } from "node:fs";
import { join } from "node:path";
import { type Inode, Inodes, isSameInode } from "./inodes.ts";
import { ReservedNames } from "./reserved-names.ts";
import { ReuseSpan } from "./reuse-span.ts";
import { type Trail, trailOf } from "./trail.ts";

/** The coarsest clock is FAT's: a folder may change once more within the seconds that its time stands for. */
const COARSE_MS = 3_000;
/** Entries of a state folder that are known one by one: far more than a server or a client makes. */
const MAX_ENTRIES = 1_024;

/** Paths of this machine, whether there is anything or not. */
export interface PrivatePaths {
  /** Private with all below them. */
  readonly folders: readonly string[];
  readonly files: readonly string[];
}

/**
 * What of this machine belongs to CommServer itself, and so to no tree that it serves, sends or stores into: state
 * folders, keys. They are known by device and inode, through links and mounts, and by the names that lead to them.
 */
export class PrivatePlaces {
  readonly #paths: () => PrivatePaths;
  #isFresh = false;
  readonly #reuse = new ReuseSpan(() => this.forget());
  #trails: readonly Trail[] = [];
  #folders = new Inodes<true>();
  #files = new Inodes<true>();
  #names = new Inodes<ReservedNames>();
  readonly #contents = new Map<string, Contents>();

  /** `paths` is asked again all the time. */
  constructor(paths: () => PrivatePaths = () => ({ folders: [], files: [] })) {
    this.#paths = paths;
  }

  /** True for a private folder, and for the folders in one. */
  hasFolder(folder: Inode): boolean {
    return this.#has(() => this.#folders, folder);
  }

  /** True for a private file, whatever other name it is called by. */
  hasFile(file: Inode): boolean {
    return this.#has(() => this.#files, file);
  }

  /** The names in this folder that are private or lead there; undefined when there are none. */
  namesIn(folder: Inode): ReservedNames | undefined {
    this.#refresh();
    return this.#names.get(folder);
  }

  /** The real paths of those that lie below this folder now. */
  below(folder: Inode): string[] {
    this.forget();
    this.#refresh();
    const isIt = (each: Inode) => isSameInode(each, folder);
    const found = this.#trails.filter(({ folders }) => folders.some(isIt)).flatMap(({ end }) => end?.path ?? []);
    return [...new Set(found)];
  }

  /** A name that leads to a private place has come: do not wait to see it. */
  forget(): void {
    this.#isFresh = false;
  }

  /** A number that was free a moment ago may be that of a new file by now: what is found is looked for again. */
  #has(all: () => Inodes<true>, inode: Inode): boolean {
    this.#refresh();
    if (all().get(inode) === undefined) return false;
    this.forget();
    this.#refresh();
    return all().get(inode) === true;
  }

  #refresh(): void {
    if (this.#isFresh) return;
    this.#isFresh = true;
    this.#reuse.begin();
    const paths = this.#paths();
    const folders = paths.folders.map(trailOf);
    const files = paths.files.map(trailOf);
    this.#trails = [...folders, ...files];
    this.#names = new Inodes();
    for (const { steps } of this.#trails) {
      for (const { folder, name, isEnd, there } of steps) {
        const names = this.#names.get(folder) ?? this.#names.set(folder, new ReservedNames());
        names.add(name, isEnd ? "private" : "way", there);
      }
    }
    this.#folders = new Inodes();
    this.#files = new Inodes();
    for (const { end } of files) if (end?.stats.isDirectory() === false) this.#files.set(end.stats, true);
    for (const { end } of folders) if (end?.stats.isDirectory()) this.#enter(end.path, end.stats, true);
  }

  /** Note a private folder, and what is in it, which hard links and mounts may show elsewhere. */
  #enter(path: string, stats: BigIntStats, isTop: boolean): void {
    this.#folders.set(stats, true);
    let contents = this.#contents.get(path);
    if (contents === undefined || !isStill(contents, stats)) {
      contents = readContents(path, stats);
      this.#contents.set(path, contents);
    }
    for (const file of contents.files) this.#files.set(file, true);
    for (const folder of contents.folders) {
      const there = isTop ? fs.lstatSync(folder, { bigint: true, throwIfNoEntry: false }) : undefined;
      if (there?.isDirectory()) this.#enter(folder, there, false);
    }
  }
}

/** What a folder had in it at a time. */
interface Contents {
  readonly folder: BigIntStats;
  /** Milliseconds since 1970. */
  readonly readAt: number;
  readonly files: readonly BigIntStats[];
  /** Their paths. */
  readonly folders: readonly string[];
}

function isStill({ folder, readAt }: Contents, now: BigIntStats): boolean {
  return isSameInode(folder, now) && folder.mtimeNs === now.mtimeNs && readAt - Number(now.mtimeMs) > COARSE_MS;
}

function readContents(path: string, folder: BigIntStats): Contents {
  const readAt = Date.now();
  const files: BigIntStats[] = [];
  const folders: string[] = [];
  try {
    for (const name of fs.readdirSync(path).slice(0, MAX_ENTRIES)) {
      const stats = fs.lstatSync(join(path, name), { bigint: true, throwIfNoEntry: false });
      if (stats?.isDirectory()) folders.push(join(path, name));
      else if (stats !== undefined) files.push(stats);
    }
  } catch {
    // Not for us to read: then neither are its files.
  }
  return { folder, readAt, files, folders };
}
