import fs, { type BigIntStats } from "node:fs";
import { join, sep } from "node:path";
import { fold } from "../../../fold.ts";
import { type FolderId, type Inode, Inodes, isSameInode } from "../inodes.ts";
import { foldLocalPath, isAtOrBelow, type Reservation, ReservedNames } from "./reserved-names.ts";
import { ReuseSpan } from "./reuse-span.ts";
import { type Trail, trailOf } from "./trail.ts";

/** FAT has the coarsest clock: a folder may change again within the two seconds of its time stamp. */
const COARSE_MS = 3_000;
/** The most entries of a state folder that are known one by one: far more than a server or a client creates. */
const MAX_ENTRIES = 1_024;

/** Paths of this machine, which need not exist. */
export interface PrivatePaths {
  /** Private folders, with everything below them. */
  readonly folders: readonly string[];
  readonly files: readonly string[];
  /** More folders, checked only if they lie in a tree: elsewhere they may be on a disk that does not answer. */
  readonly others?: readonly string[];
}

/**
 * CommServer's own files on this machine: state folders and keys, which are part of no tree that it serves, sends from
 * or stores into. They are recognized by device and inode, through links and mounts, and also by the names that lead to
 * them: some file systems give one file several numbers, one for each spelling of its name.
 */
export class PrivatePlaces {
  readonly #paths: () => PrivatePaths;
  #isFresh = false;
  readonly #reuse = new ReuseSpan(() => this.forget());
  #trails: readonly Trail[] = [];
  #folders = new Inodes<true>();
  #files = new Inodes<true>();
  #names = new Inodes<ReservedNames>();
  /** Reserved names by the folded real path of their folder. */
  #namesByPath = new Map<string, ReservedNames>();
  /** The folded real paths of all places, and those of the folders. */
  #realPaths: string[] = [];
  #realFolders: string[] = [];
  /** The trees that these places are checked for, by their folded paths. */
  readonly #roots = new Set<string>();
  readonly #contents = new Map<string, Contents>();

  /** `paths` is called again and again. */
  constructor(paths: () => PrivatePaths = () => ({ folders: [], files: [] })) {
    this.#paths = paths;
  }

  /** True for a private folder, and for the folders in it. */
  hasFolder(folder: Inode): boolean {
    this.#refresh();
    if (this.#folders.get(folder) === undefined) return false;
    this.#lookAgain();
    return this.#folders.get(folder) === true;
  }

  /** True for a private file, under any of its names. */
  hasFile(file: Inode): boolean {
    this.#refresh();
    if (this.#files.get(file) === undefined) return false;
    this.#lookAgain();
    return this.#files.get(file) === true;
  }

  /** Whether names in this folder are private, or lead to something private. */
  leadsOn(folder: FolderId): boolean {
    this.#refresh();
    const { folded } = folder;
    return this.#names.get(folder) !== undefined || (folded !== undefined && this.#namesByPath.has(folded));
  }

  /** Whether a name in this folder is private, or leads to something private. */
  reservationOf(folder: FolderId, name: string): Reservation | undefined {
    this.#refresh();
    const { folded } = folder;
    const byPath = folded === undefined ? undefined : this.#namesByPath.get(folded);
    return this.#names.get(folder)?.get(name) ?? byPath?.get(name);
  }

  /** These places will be checked for a tree with this folded path. */
  serve(root: string): void {
    if (this.#roots.size === this.#roots.add(root).size) return;
    this.forget();
  }

  /** Whether something private lies in the tree by its path, even if it does not exist. */
  isIn(root: string): boolean {
    this.#refresh();
    return this.#realPaths.some((path) => isAtOrBelow(path, root));
  }

  /** Whether a folder with this folded path is private, or lies in one that is. */
  hasPath(folded: string): boolean {
    this.#refresh();
    return this.#realFolders.some((folder) => isAtOrBelow(folded, folder));
  }

  /** The real paths of the private places below this folder now. */
  below(folder: Inode): string[] {
    this.forget();
    this.#refresh();
    const isIt = (each: Inode) => isSameInode(each, folder);
    const found = this.#trails.filter(({ folders }) => folders.some(isIt)).flatMap(({ end }) => end?.path ?? []);
    return [...new Set(found)];
  }

  /** A name that leads to a private place was created: look again at once. */
  forget(): void {
    this.#isFresh = false;
  }

  /** For a match: an inode number that was free a moment ago may belong to a new file by now. */
  #lookAgain(): void {
    this.forget();
    this.#refresh();
  }

  #refresh(): void {
    if (this.#isFresh) return;
    this.#isFresh = true;
    this.#reuse.begin();
    const { folders: given, files: paths, others = [] } = this.#paths();
    const isServed = (path: string) => [...this.#roots].some((root) => isAtOrBelow(foldLocalPath(path), root));
    const folders = [...given, ...others.filter(isServed)].map(trailOf);
    const files = paths.map(trailOf);
    this.#trails = [...folders, ...files];
    this.#realFolders = folders.map(({ real }) => foldLocalPath(real));
    this.#realPaths = this.#trails.map(({ real }) => foldLocalPath(real));
    this.#reserve();
    this.#folders = new Inodes();
    this.#files = new Inodes();
    for (const { end } of files) if (end?.stats.isDirectory() === false) this.#files.set(end.stats, true);
    for (const { end } of folders) if (end?.stats.isDirectory()) this.#enter(end.path, end.stats, true);
  }

  #reserve(): void {
    this.#names = new Inodes();
    this.#namesByPath = new Map();
    for (const { steps, real } of this.#trails) {
      for (const { folder, name, isEnd } of steps) {
        const names = this.#names.get(folder) ?? this.#names.set(folder, new ReservedNames());
        names.add(name, isEnd);
      }
      const names = real.split(sep);
      for (let at = 1; at < names.length; at++) {
        const folder = names.slice(0, at).map(fold).join("/");
        const reserved = this.#namesByPath.get(folder) ?? new ReservedNames();
        this.#namesByPath.set(folder, reserved);
        reserved.add(names[at] as string, at === names.length - 1);
      }
    }
  }

  /** Note a private folder and its content, which hard links and mounts may show elsewhere. */
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

/** The contents of a folder at one time. */
interface Contents {
  readonly folder: BigIntStats;
  /** Milliseconds since 1970. */
  readonly readAt: number;
  readonly files: readonly BigIntStats[];
  /** Paths of the folders in it. */
  readonly folders: readonly string[];
}

/** Whether a folder has the same names as when it was read. Both are its facts: those from before, and those of now. */
export function isStill({ folder, readAt }: Pick<Contents, "folder" | "readAt">, now: BigIntStats): boolean {
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
    // Unreadable: then its files are unreadable, too.
  }
  return { folder, readAt, files, folders };
}
