import fs, { type BigIntStats } from "node:fs";
import { dirname, sep } from "node:path";
import { errnoOf } from "../../../errno.ts";
import type { StorageError } from "../../../errors.ts";
import { baseName } from "../../../path.ts";
import type { Owner } from "../../../storage-faults.ts";
import { storageFault } from "../../../storage-faults.ts";
import type { StorageEntry } from "../../storage.ts";
import { type FolderId, type Inode, Inodes } from "../inodes.ts";
import type { Held, OpenFolder } from "../open-folder.ts";
import { HAS_PROC } from "../proc-path.ts";
import { PrivatePlaces } from "./private-places.ts";
import { foldLocalPath, type Reservation } from "./reserved-names.ts";
import { ReuseSpan } from "./reuse-span.ts";
import { isMarked } from "./state-marker.ts";

export interface GuardOptions {
  readonly owner: Owner;
  /** Places that are excluded from the tree, wherever they lie in it. */
  readonly places?: PrivatePlaces;
  /** Called with each path that a list leaves out as private. */
  onHidden?(path: string): void;
}

/**
 * Keeps CommServer's own files out of a tree: places that this program knows, and folders that another one has marked.
 */
export class PrivateGuard {
  readonly #owner: Owner;
  readonly #places: PrivatePlaces;
  readonly #onHidden: (path: string) => void;
  /** Folders that are public, as are all folders that they lie in. */
  #public = new Inodes<true>();
  /** Folders without a mark. */
  #unmarked = new Inodes<true>();
  readonly #reuse = new ReuseSpan(() => this.forget());

  /** The folded real path of the tree. */
  #root: string;

  /** `root`: the real path of the tree. */
  constructor(root: string, { owner, places = new PrivatePlaces(), onHidden = () => {} }: GuardOptions) {
    this.#owner = owner;
    this.#places = places;
    this.#onHidden = onHidden;
    this.#root = foldLocalPath(root);
    places.serve(this.#root);
  }

  /** The tree lies at this real path from now on. */
  serve(root: string): void {
    this.#root = foldLocalPath(root);
    this.#places.serve(this.#root);
    this.forget();
  }

  /**
   * Check an open folder, and the folders that it really lies in, whatever names are swapped meanwhile. `real` is its
   * real path.
   *
   * @returns its identity
   * @throws StorageError as refusal() when it is private, or lies in a folder that is; the system's error when it is
   * gone
   */
  inspect(path: string, opened: OpenFolder, real: string): FolderId {
    const folder = opened.lookAtItself();
    const passed: Inode[] = [];
    let at = opened.at(".");
    let stats: BigIntStats | undefined = folder;
    // No path leads here from above a folder that we can't enter.
    for (let levels = real.split(sep).length; levels > 0 && stats !== undefined; levels--) {
      if (this.#public.get(stats)) break;
      if (this.#isFolder(stats, at)) throw this.refusal(path);
      passed.push(stats);
      at = HAS_PROC ? `${at}/..` : dirname(at);
      stats = statsOf(at);
    }
    for (const each of passed) this.#public.set(each, true);
    return this.#idOf(folder, opened, () => path);
  }

  /** As inspect(), for a folder in an inspected one, however long its path is. */
  inspectIn(path: () => string, opened: OpenFolder): FolderId {
    const folder = opened.lookAtItself();
    if (this.#isFolder(folder, opened.at("."))) throw this.refusal(path());
    return this.#idOf(folder, opened, path);
  }

  /** @throws StorageError as refusal() when some file system takes the path for that of a private folder */
  #idOf({ dev, ino }: Inode, opened: OpenFolder, path: () => string): FolderId {
    const folded = this.#places.isIn(this.#root) ? foldedPathOf(opened) : undefined;
    if (folded !== undefined && this.#places.hasPath(folded)) throw this.refusal(path());
    return { dev, ino, folded };
  }

  /** @returns `held` @throws StorageError as refusal() when its name is one of `taken`; `held` is released then */
  admit(path: string, held: Held, taken: readonly Reservation[]): Held {
    const reservation = this.reservationOf(held);
    if (reservation === undefined || !taken.includes(reservation)) return held;
    held.folder.release();
    throw this.refusal(path, reservation);
  }

  /** Whether some file system takes this name for one that is private, or leads to something private. */
  reservationOf({ folder, name }: Held): Reservation | undefined {
    return folder.id && this.#leadsOn(folder) ? this.#places.reservationOf(folder.id, name) : undefined;
  }

  /** Whether names in this folder are private, or lead to something private. */
  #leadsOn({ id }: OpenFolder): boolean {
    return id !== undefined && this.#places.leadsOn(id);
  }

  /**
   * @throws StorageError as refusal() when the named entry itself is private. `stats`: its facts, without following a
   * link
   */
  requirePublic(path: string, stats: BigIntStats, held: Held): void {
    if (this.#isPrivate(stats, held)) throw this.refusal(path);
  }

  /** @throws as requirePublic(), for the present entry */
  requireReplaceable(path: string, held: Held): void {
    const there = fs.lstatSync(held.folder.at(held.name), { bigint: true, throwIfNoEntry: false });
    if (there !== undefined) this.requirePublic(path, there, held);
  }

  /** True for an entry that lists treat as missing. `path` is its path, `folder` the open folder that it is in. */
  isHidden({ path, kind }: StorageEntry, inode: Inode, folder: OpenFolder): boolean {
    const isPrivate =
      kind === "folder" ? this.#isFolder(inode, folder.at(baseName(path))) : this.#places.hasFile(inode);
    const isHidden =
      isPrivate || (this.#leadsOn(folder) && this.reservationOf({ folder, name: baseName(path) }) === "private");
    if (isHidden) this.#onHidden(path);
    return isHidden;
  }

  /** The private places below the folder at `place`, as paths of this machine. */
  below(place: string): string[] {
    return this.#places.below(fs.statSync(place, { bigint: true }));
  }

  /** NOT_ALLOWED or OWN_STATE, with the same message whatever it is, and whether it exists or not. */
  refusal(path: string, reservation: Reservation = "private"): StorageError {
    const what = reservation === "private" ? "is" : "leads to";
    return storageFault.own(path, what, this.#owner === "server" ? "NOT_ALLOWED" : "OWN_STATE");
  }

  /** A folder was removed or moved. */
  forget(): void {
    this.#public = new Inodes();
    this.#unmarked = new Inodes();
  }

  /** A folder was created: it may be on the way to a private place that does not exist yet. */
  noteNew(holder: OpenFolder): void {
    if (holder.id && this.#places.leadsOn(holder.id)) this.#places.forget();
  }

  #isPrivate(stats: BigIntStats, { folder, name }: Held): boolean {
    if (this.reservationOf({ folder, name }) === "private") return true;
    return stats.isDirectory() ? this.#isFolder(stats, folder.at(name)) : this.#places.hasFile(stats);
  }

  #isFolder(folder: Inode, place: string): boolean {
    if (this.#places.hasFolder(folder)) return true;
    if (this.#unmarked.get(folder)) return false;
    if (isMarked(place)) return true;
    this.#reuse.begin();
    this.#unmarked.set(folder, true);
    return false;
  }
}

/** undefined for a path that is longer than all private ones. */
function foldedPathOf(opened: OpenFolder): string | undefined {
  try {
    return foldLocalPath(opened.real);
  } catch (cause) {
    if (errnoOf(cause) === "ENAMETOOLONG") return undefined;
    throw cause;
  }
}

function statsOf(place: string): BigIntStats | undefined {
  try {
    return fs.statSync(place, { bigint: true });
  } catch (cause) {
    if (errnoOf(cause) === "EACCES") return undefined;
    throw cause;
  }
}
