import fs, { type BigIntStats } from "node:fs";
import { basename, dirname, join, sep } from "node:path";
import { StorageError } from "../../errors.ts";
import { baseName, parentOf } from "../../path.ts";
import { quote } from "../../quote.ts";
import { errnoOf } from "../disk-error.ts";
import { ProvisionalFolders } from "../provisional-folders.ts";
import type { FolderId } from "./inodes.ts";
import { KeptFolders } from "./kept-folders.ts";
import { KeptTimes } from "./kept-times.ts";
import { Losses } from "./losses.ts";
import { fromLocalName, toLocalPath } from "./names/local-names.ts";
import { Endings } from "./names/name-trial.ts";
import type { Reservation } from "./names/reserved-names.ts";
import { type Held, OpenFolder } from "./open-folder.ts";
import { type GuardOptions, PrivateGuard } from "./private/private-guard.ts";
import { folderMode, isWider } from "./rights.ts";
import { requireNames } from "./tree-names.ts";
import { TreeRoot } from "./tree-root.ts";

/** Every system takes a path of so many characters, of up to three bytes each. */
const SURELY_SHORT = 1023 / 3;

/** Finds the folders of a tree, none of them outside of it, and none that belongs to CommServer itself. */
export class Folders {
  readonly #root: TreeRoot;
  readonly guard: PrivateGuard;
  readonly times = new KeptTimes();
  readonly losses = new Losses();
  readonly endings = new Endings();
  readonly #kept = new KeptFolders();
  readonly #made = new ProvisionalFolders();

  /** `onNotice`: told in words that the root is not there, or another. @throws the system's error when nothing is there */
  constructor(root: string, { onNotice = () => {}, ...options }: GuardOptions & { onNotice?(message: string): void }) {
    const onMoved = (real: string) => this.guard.serve(real);
    this.#root = new TreeRoot(root, { isFixed: options.owner === "user", onNotice, onMoved });
    this.guard = new PrivateGuard(this.root, options);
  }

  /** The root as it is looked for. */
  get place(): string {
    return this.#root.given;
  }

  /** The root with all links resolved; everything lies below. */
  get root(): string {
    return this.#root.real;
  }

  /**
   * The facts of what is at `path`, links followed: of the very thing that was seen to lie inside.
   *
   * @throws as open(), StorageError CHANGED
   */
  look(path: string): BigIntStats {
    if (path === "") return this.#lookIn(path, { folder: this.open(""), name: "." });
    const stats = this.#lookIn(path, this.holder(path));
    if (!stats.isSymbolicLink()) return stats;
    const target = this.#lookIn(path, this.behind(path));
    if (target.isSymbolicLink()) throw new StorageError("CHANGED", `${quote(path)} was replaced meanwhile.`);
    return target;
  }

  /**
   * The open folder at `path`, which the caller releases.
   *
   * @throws StorageError NOT_ALLOWED when it lies outside, also when it does not exist there; NOT_ALLOWED or, for the
   * user's own folders, OWN_STATE when it is private or lies in what is; BAD_PATH for what is no path; system errors
   */
  open(path: string): OpenFolder {
    return this.#open(path, path);
  }

  /**
   * The folder `name` in an open one, whatever is at its path by now; the caller releases it. `path`: for words.
   *
   * @throws as open()
   */
  openIn(holder: OpenFolder, name: string, path: string): OpenFolder {
    return OpenFolder.open(holder.at(name), (folder) => {
      this.#requireBelow(path, folder.real);
      return this.guard.inspectIn(() => path, folder);
    });
  }

  /** As open(), made where it is missing. @throws as open(), StorageError EXISTS when a file is in the way */
  make(path: string): OpenFolder {
    return this.#openOrMake(path, folderMode(undefined)).folder;
  }

  /** Make the folder at `path`, with what the umask leaves of `mode`. @returns false when it was there @throws as make() */
  ensure(path: string, mode: number): boolean {
    const { folder, isNew } = this.#orUnmake(path, () => this.#openOrMake(path, mode));
    folder.release();
    this.claim(path);
    return isNew;
  }

  /** Take from the folder at `path`, made for a source with this `mode`, what its owner needed. @throws as open() */
  finish(path: string, mode: number): void {
    const folder = this.open(path);
    try {
      const place = folder.at(".");
      const stats = fs.statSync(place);
      if (isWider(stats, folderMode(mode))) return;
      this.losses.try("rights", () => fs.chmodSync(place, stats.mode & mode));
    } finally {
      folder.release();
    }
  }

  /** A file has come into the folder at `path`, or is going to: it is not unmade any more. */
  claim(path: string): void {
    this.#made.claim(path);
  }

  /** The file at `path` does not come: remove the folders that makeHolder() made for it, as far as they are empty. */
  unmake(path: string): void {
    this.#made.undo(path, (made) => {
      try {
        const { folder, name } = this.holder(made);
        try {
          fs.rmdirSync(folder.at(name));
        } finally {
          folder.release();
        }
        this.forget();
        return true;
      } catch {
        return false; // something is in it
      }
    });
  }

  /**
   * The folder on the way to `path` that is there and is nearest to it, and the names below it. The caller releases it.
   *
   * @throws as open()
   */
  nearest(path: string): { folder: OpenFolder; below: string[] } {
    const above = this.#nearest(path);
    return { folder: this.open(above), below: path.slice(above === "" ? 0 : above.length + 1).split("/") };
  }

  /** True while `folder` is what is at `path`. */
  isAt(path: string, folder: OpenFolder): boolean {
    this.#root.find();
    return folder.isAt(this.#placeOf(path));
  }

  /** The folder that holds `path`, and its name there; the caller releases the folder. @throws as open(); ENAMETOOLONG */
  holder(path: string): Held {
    return this.#held(path, ["private"]);
  }

  /** As holder(), for what shall be renamed, removed or replaced. @throws as open(), also for what only leads to it */
  changeable(path: string): Held {
    return this.#held(path, ["private", "way", "alike"]);
  }

  /** As changeable(), the folder made where it is missing. @throws as make(); ENAMETOOLONG, and then nothing is made */
  makeHolder(path: string): Held {
    requireNames(path);
    return this.#orUnmake(path, () => {
      this.#requireShort(path);
      const held = { folder: this.make(parentOf(path)), name: baseName(path) };
      return this.guard.admit(path, held, ["private", "way", "alike"]);
    });
  }

  /** As holder(), of what the link at `path` leads to: it is none itself, unless it became one. @throws as open() */
  behind(path: string): Held {
    const real = this.#resolve(path);
    if (real === this.root) return { folder: this.open(""), name: "." };
    return this.#heldAt(path, real);
  }

  /** Looks at a folder that was opened in one which was looked at. @throws as open() */
  inspect(folder: OpenFolder): FolderId {
    return this.guard.inspectIn(() => this.#pathOf(folder.real), folder);
  }

  /** @throws StorageError as open() when this name is private, or leads there */
  requireFree(folder: OpenFolder, name: string): void {
    const reservation = this.guard.reservationOf({ folder, name });
    if (reservation !== undefined) throw this.guard.refusal(this.#pathOf(`${folder.real}${sep}${name}`), reservation);
  }

  /**
   * By a folder that is held open the system would take a name in it, however long the path is: then some methods had what
   * others have not.
   *
   * @throws the system's ENAMETOOLONG when it takes no such path
   */
  #requireShort(path: string): void {
    if (this.root.length + path.length <= SURELY_SHORT) return;
    try {
      fs.lstatSync(this.#placeOf(path), { throwIfNoEntry: false });
    } catch (cause) {
      if (errnoOf(cause) === "ENAMETOOLONG") throw cause;
    }
  }

  /** False for a path that the system does not take. */
  isShort(path: string): boolean {
    try {
      this.#requireShort(path);
      return true;
    } catch {
      return false;
    }
  }

  /** Let go of what was kept: a folder was renamed or removed. */
  forget(): void {
    this.#kept.clear();
    this.guard.forget();
  }

  /** As open(); a refusal names `asked`. */
  #open(path: string, asked: string): OpenFolder {
    const kept = this.#kept.find(path);
    if (kept !== undefined) return kept.retain();
    const real = this.#resolve(path);
    try {
      return this.#keep(path, this.#openAt(asked, real));
    } catch (cause) {
      if (cause instanceof StorageError || real === this.root) throw cause;
      // What is private must not be told to be a file and no folder.
      this.#lookIn(asked, this.#heldAt(asked, real));
      throw cause;
    }
  }

  /** For a moment, for the next who wants it. @returns what is given, which the caller releases as well */
  #keep(path: string, folder: OpenFolder): OpenFolder {
    this.#kept.add(path, folder);
    return folder.retain();
  }

  /** Where the names of `path` lead, nothing having been looked at. */
  #placeOf(path: string): string {
    return join(this.root, toLocalPath(path));
  }

  /** What a real path is called in the tree, for people. */
  #pathOf(real: string): string {
    const names = real.slice(this.root.length).split(sep).filter(Boolean);
    return names.map((name) => fromLocalName(name)).join("/");
  }

  /** The real path of `path`. @throws as open() */
  #resolve(path: string): string {
    requireNames(path);
    this.#root.find();
    try {
      const real = fs.realpathSync.native(this.#placeOf(path));
      this.#requireBelow(path, real);
      return real;
    } catch (cause) {
      if (cause instanceof StorageError) throw cause;
      if (path === "") throw this.#root.explain(cause);
      // What is missing outside, or in what is private, must not be told from what is there.
      const above = this.#nearest(path);
      this.#open(above, path).release();
      throw cause;
    }
  }

  /** What is at a real path. @throws as holder() */
  #heldAt(path: string, real: string): Held {
    const held = { folder: this.#openAt(path, dirname(real)), name: fromLocalName(basename(real)) };
    return this.guard.admit(path, held, ["private"]);
  }

  /** Open the folder with this real path, which is looked at again. @throws as open() */
  #openAt(path: string, real: string): OpenFolder {
    return OpenFolder.open(real, (folder) => {
      const opened = folder.real;
      this.#requireBelow(path, opened);
      return this.guard.inspect(path, folder, opened);
    });
  }

  #requireBelow(path: string, real: string): void {
    if (!this.#root.has(real))
      throw new StorageError("NOT_ALLOWED", `${quote(path)} is a link that leads out of the repository.`);
  }

  #lookIn(path: string, held: Held): BigIntStats {
    try {
      const stats = held.folder.look(held.name);
      this.guard.requirePublic(path, stats, held);
      return stats;
    } finally {
      held.folder.release();
    }
  }

  #held(path: string, taken: readonly Reservation[]): Held {
    requireNames(path);
    this.#requireShort(path);
    return this.guard.admit(path, { folder: this.open(parentOf(path)), name: baseName(path) }, taken);
  }

  /** Do `work`, which makes folders above `path`: they go again when it fails. */
  #orUnmake<T>(path: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.unmake(path);
      throw error;
    }
  }

  /** What there is on the way to `path` that is nearest to it. */
  #nearest(path: string): string {
    for (let above = parentOf(path); above !== ""; above = parentOf(above)) {
      if (this.#kept.find(above) !== undefined) return above;
      try {
        fs.realpathSync.native(this.#placeOf(above));
        return above;
      } catch {
        // nor is that there
      }
    }
    return "";
  }

  #openOrMake(path: string, mode: number): { folder: OpenFolder; isNew: boolean } {
    try {
      return { folder: this.open(path), isNew: false };
    } catch (cause) {
      // A file, or a link that leads to itself.
      if (["ENOTDIR", "ELOOP"].includes(errnoOf(cause))) throw noFolder(path, cause);
      if (errnoOf(cause) !== "ENOENT" || path === "") throw cause;
    }
    let made = this.#nearest(path);
    let folder = this.open(made);
    while (made !== path) {
      const below = path.indexOf("/", made === "" ? 0 : made.length + 1);
      made = below < 0 ? path : path.slice(0, below);
      const holder = this.guard.admit(path, { folder, name: baseName(made) }, ["private", "alike"]);
      folder = this.#makeIn(holder, made, made === path ? mode : folderMode(undefined));
    }
    return { folder, isNew: true };
  }

  /** Make `path` in the open folder that holds it, which is released; the open folder. @throws as open() */
  #makeIn({ folder, name }: Held, path: string, mode: number): OpenFolder {
    try {
      if (!makeNew(folder.at(name), mode)) return this.#openThere(path);
      this.#made.add(path);
      this.guard.noteNew(folder);
      return this.#keep(path, this.openIn(folder, name, path));
    } finally {
      folder.release();
    }
  }

  /** What was there when it should be made: of somebody who was quicker, or a link that leads nowhere. @throws as make() */
  #openThere(path: string): OpenFolder {
    try {
      return this.open(path);
    } catch (cause) {
      throw errnoOf(cause) === "ENOENT" ? noFolder(path, cause) : cause;
    }
  }
}

/** @returns false when something is there @throws the system's error */
function makeNew(place: string, mode: number): boolean {
  try {
    fs.mkdirSync(place, mode);
    return true;
  } catch (cause) {
    if (errnoOf(cause) === "EEXIST") return false;
    throw cause;
  }
}

function noFolder(path: string, cause: unknown): StorageError {
  return new StorageError("EXISTS", `${quote(path)} is not a folder.`, { cause });
}
