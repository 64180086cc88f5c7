import type { BigIntStats } from "node:fs";
import { basename, dirname, sep } from "node:path";
import { errnoOf } from "../../errno.ts";
import { StorageError } from "../../errors.ts";
import { baseName, joinPath, parentOf } from "../../path.ts";
import { storageFault } from "../../storage-faults.ts";
import type { FolderId } from "./inodes.ts";
import { KeptFolders } from "./kept-folders.ts";
import { fromLocalName } from "./names/local-names.ts";
import { requireNames } from "./names/tree-names.ts";
import { type Held, OpenFolder } from "./open-folder.ts";
import { type GuardOptions, PrivateGuard } from "./private/private-guard.ts";
import type { Reservation } from "./private/reserved-names.ts";
import { realPath } from "./real-path.ts";
import { TreeMemory } from "./tree-memory.ts";
import { TreeRoot } from "./tree-root.ts";

export interface FoldersOptions extends GuardOptions {
  /** Called with a message when the root is missing, or another folder. */
  onNotice?(message: string): void;
  /** The folders that `root` is a path in: nothing leads out of it. It need not exist. */
  readonly above?: Folders;
}

/** Finds the folders of a tree, but none outside it and none of CommServer's own. FolderMaker creates them. */
export class Folders {
  readonly tree: TreeRoot;
  readonly guard: PrivateGuard;
  readonly memory: TreeMemory;
  readonly #kept = new KeptFolders();

  /** @throws the system's error when nothing is there; never with `above` */
  constructor(root: string, { onNotice = () => {}, above, ...options }: FoldersOptions) {
    const onMoved = (real: string) => this.guard.serve(real);
    this.tree = new TreeRoot(above?.tree.placeOf(root) ?? root, {
      isFixed: options.owner === "user",
      onNotice,
      onMoved,
      ...(above && { locate: () => above.open(root) }),
    });
    this.guard = new PrivateGuard(this.root, options);
    this.memory = above?.memory ?? new TreeMemory();
    this.memory.add(this);
  }

  /** The root with all links resolved; everything lies below. */
  get root(): string {
    return this.tree.real;
  }

  /**
   * The facts of what is at `path`, links followed, after a check that it lies inside.
   *
   * @throws as open(), StorageError CHANGED
   */
  look(path: string): BigIntStats {
    if (path === "") return this.#lookIn(path, { folder: this.open(""), name: "." });
    const stats = this.#lookIn(path, this.holder(path));
    if (!stats.isSymbolicLink()) return stats;
    const target = this.#lookIn(path, this.behind(path));
    if (target.isSymbolicLink()) throw storageFault.replaced(path);
    return target;
  }

  /**
   * The open folder at `path`, which the caller releases.
   *
   * @throws StorageError NOT_ALLOWED when it lies outside, whether it exists or not; NOT_ALLOWED or, for the user's own
   * folders, OWN_STATE when it is private or lies in what is; BAD_PATH for an invalid path; system errors
   */
  open(path: string): OpenFolder {
    return this.#open(path, path);
  }

  /**
   * The folder `name` in an open one, whatever is at its path by now; the caller releases it. `path` is for messages.
   *
   * @throws as open()
   */
  openIn(holder: OpenFolder, name: string, path: string): OpenFolder {
    return OpenFolder.open(holder.at(name), (folder) => {
      const real = folder.real;
      if (!this.tree.has(real)) this.#requireAttached(path, folder, real);
      this.tree.requireBelow(path, real);
      return this.guard.inspectIn(() => path, folder);
    });
  }

  /**
   * The nearest existing folder on the way to `path`, and the names below it. The caller releases it.
   *
   * @throws as open()
   */
  nearest(path: string): { folder: OpenFolder; below: string[] } {
    const above = this.nearestPath(path);
    return { folder: this.open(above), below: path.slice(above === "" ? 0 : above.length + 1).split("/") };
  }

  /** True while `folder` is still at `path`. */
  isAt(path: string, folder: OpenFolder): boolean {
    this.tree.find();
    return folder.isAt(this.tree.placeOf(path));
  }

  /**
   * The folder that holds `path`, and its name there; the caller releases the folder.
   *
   * @throws as open(); ENAMETOOLONG
   */
  holder(path: string): Held {
    return this.#held(path, ["private"]);
  }

  /** As holder(), for a change. @throws as open(), also for a name that leads to something private */
  changeable(path: string): Held {
    return this.#held(path, ["private", "way", "alike"]);
  }

  /** As holder(), for the target of the link at `path`, no link itself unless it became one. @throws as open() */
  behind(path: string): Held {
    const real = this.#resolve(path);
    if (real === this.root) return { folder: this.open(""), name: "." };
    return this.#heldAt(path, real);
  }

  /** Check a folder that was opened in a checked one. @throws as open() */
  inspect(folder: OpenFolder): FolderId {
    return this.guard.inspectIn(() => this.tree.pathOf(folder.real), folder);
  }

  /** @throws StorageError as open() when this name is private, or leads to something private */
  requireFree(folder: OpenFolder, name: string): void {
    const reservation = this.guard.reservationOf({ folder, name });
    if (reservation !== undefined)
      throw this.guard.refusal(this.tree.pathOf(`${folder.real}${sep}${name}`), reservation);
  }

  /** Drop the kept folders, since a folder was renamed or removed. */
  forget(): void {
    this.memory.forget();
  }

  /** As forget(), here alone. */
  forgetOwn(): void {
    this.#kept.clear();
    this.guard.forget();
  }

  /** As open(); a refusal quotes `asked`. */
  #open(path: string, asked: string): OpenFolder {
    const kept = this.#kept.find(path);
    if (kept !== undefined) return kept.retain();
    const real = this.#resolve(path, asked);
    try {
      return this.keep(path, this.#openAt(asked, real));
    } catch (cause) {
      if (cause instanceof StorageError || real === this.root) throw cause;
      // Don't reveal whether something private is a file or a folder.
      this.#lookIn(asked, this.#heldAt(asked, real));
      throw cause;
    }
  }

  /** Keep the folder open for a moment, for the next caller. @returns `folder`, which this caller releases as well */
  keep(path: string, folder: OpenFolder): OpenFolder {
    this.#kept.add(path, folder);
    return folder.retain();
  }

  /** The real path of `path`; a refusal quotes `asked`. @throws as open() */
  #resolve(path: string, asked = path): string {
    requireNames(path);
    this.tree.find();
    try {
      const real = realPath(this.tree.placeOf(path));
      this.tree.requireBelow(asked, real);
      return real;
    } catch (cause) {
      if (cause instanceof StorageError) throw cause;
      if (path === "") throw this.tree.explain(cause);
      if (errnoOf(cause) === "ESTALE") throw storageFault.replaced(path);
      // Outside the tree, and in private places, missing and existing must look the same.
      const above = this.nearestPath(path);
      this.#open(above, asked).release();
      this.tree.requireAimedBelow(asked, joinPath(above, path.slice(above.length).split("/").filter(Boolean)[0] ?? ""));
      throw cause;
    }
  }

  /** The holder and the name of a real path. @throws as holder() */
  #heldAt(path: string, real: string): Held {
    const held = { folder: this.#openAt(path, dirname(real)), name: fromLocalName(basename(real)) };
    return this.guard.admit(path, held, ["private"]);
  }

  /** Open the folder with this real path, and check it again. @throws as open() */
  #openAt(path: string, real: string): OpenFolder {
    return OpenFolder.open(real, (folder) => {
      const opened = folder.real;
      if (opened !== real) this.#requireAttached(path, folder, opened);
      this.tree.requireBelow(path, opened);
      return this.guard.inspect(path, folder, opened);
    });
  }

  /**
   * `real`: the real path that the system reports for an open folder. If its disk was detached since, that is the path
   * of another folder. Names that are being exchanged look the same.
   *
   * @throws StorageError CHANGED then
   */
  #requireAttached(path: string, folder: OpenFolder, real: string): void {
    if (!folder.isAt(real)) throw storageFault.replaced(path);
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
    this.tree.requireShort(path);
    return this.guard.admit(path, { folder: this.open(parentOf(path)), name: baseName(path) }, taken);
  }

  /** The path of the nearest existing entry on the way to `path`. */
  nearestPath(path: string): string {
    for (let above = parentOf(path); above !== ""; above = parentOf(above)) {
      if (this.#kept.find(above) !== undefined) return above;
      try {
        realPath(this.tree.placeOf(above));
        return above;
      } catch {
        // this is missing, too
      }
    }
    return "";
  }
}
