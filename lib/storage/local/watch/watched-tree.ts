import { baseName, pathFault } from "../../../path.ts";
import { Yielder } from "../../../yielder.ts";
import type { StorageChange, StorageEntry } from "../../storage.ts";
import { diskClock } from "../disk-clock.ts";
import type { Folders } from "../folders.ts";
import { type Found, HIDDEN } from "../local-list.ts";
import { isUnfinished, isWithinUnfinished } from "../names/part-names.ts";
import type { OpenFolder } from "../open-folder.ts";
import { KnownFolder } from "./known-folder.ts";
import { type Touch, Touches } from "./touches.ts";
import { TreeLearner } from "./tree-learner.ts";
import type { Arrival, TreeSink, TreeSource } from "./tree-source.ts";

/** The approximate number of changes that are reported together. */
const BATCH_CHANGES = 256;

export interface WatchedTreeOptions {
  readonly folders: Folders;
  /** As lookIn(). */
  look(folder: OpenFolder, path: string): Found;
  openSource(sink: TreeSink): TreeSource;
  /** A change waits to be reported. */
  onTouched(): void;
  /** Events were lost: changes() can no longer be used. */
  onLost(): void;
  /** As onLost(), because the source can watch no more. */
  onFull(): void;
}

/**
 * The known state of a tree, kept up to date by the system's reports. A new folder is read before it is reported, and
 * then stands for everything in it: a listener lists it to find the rest.
 */
export class WatchedTree implements TreeSink {
  readonly #options: WatchedTreeOptions;
  readonly #source: TreeSource;
  readonly #learner: TreeLearner;
  readonly #root = KnownFolder.root();
  readonly #touches: Touches;
  /** Folders that were moved away, until it is known whether they appear under another name. */
  readonly #moving = new Map<number, KnownFolder>();
  #isLost = false;
  #isClosed = false;

  /** @throws the system's error when it can't be watched */
  constructor(options: WatchedTreeOptions) {
    this.#options = options;
    this.#touches = new Touches({ onTouched: options.onTouched, onTooMany: () => this.lost() });
    this.#source = options.openSource(this);
    this.#learner = new TreeLearner(options.folders, this.#source);
  }

  /** The number of names that wait for a check. */
  get touchedCount(): number {
    return this.#touches.count;
  }

  /** True when events were lost. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /**
   * Read the whole tree.
   *
   * @returns false when the tree is too large to watch
   * @throws StorageError as Folders.open() for the root
   */
  async learn(): Promise<boolean> {
    return (await this.#learner.learnRoot(this.#root)) || this.#isLost || this.#isClosed;
  }

  /** The changes at all names that were touched until now, in batches. @throws the system's error out of files */
  async *changes(): AsyncGenerator<StorageChange[], void> {
    const touched = this.#touches.take();
    this.#forgetMoving();
    if (!this.#source.isExact) this.#options.folders.forget();
    const yielder = new Yielder(diskClock);
    for (const [folder, names] of touched) {
      const opened = this.#learner.open(folder);
      try {
        let batch: StorageChange[] = [];
        for (const [name, touch] of names) {
          if (this.#isLost || this.#isClosed) return;
          batch.push(...(await this.#changesAt(folder, opened, name, touch)));
          const isDue = yielder.isDue;
          if (batch.length >= BATCH_CHANGES || (isDue && batch.length > 0)) {
            yield batch;
            batch = [];
          }
          if (isDue) await yielder.pause();
        }
        if (batch.length > 0) yield batch;
      } finally {
        opened?.release();
      }
    }
  }

  came(folder: KnownFolder, name: string, { isFolder, cookie }: Arrival): void {
    const moved = this.#moving.get(cookie);
    this.#moving.delete(cookie);
    if (isUnfinished(name)) {
      if (moved !== undefined) void this.#learner.unwatch(moved);
      return;
    }
    if (isFolder) this.#options.folders.forget();
    const touch = this.#touches.at(folder, name);
    touch.isGone = false;
    if (moved === undefined) return;
    const replaced = folder.folder(name);
    if (replaced !== undefined) this.#lose(replaced, touch);
    folder.adopt(name, moved);
    touch.isMoved = true;
    this.#touches.touchUnsure();
  }

  gone(folder: KnownFolder, name: string, { isFolder, cookie }: Arrival): void {
    if (isUnfinished(name)) return;
    const touch = this.#touches.at(folder, name);
    touch.isGone = true;
    if (!isFolder) return;
    this.#options.folders.forget();
    const known = folder.folder(name);
    if (known === undefined) return;
    if (cookie === 0) return this.#lose(known, touch);
    this.#detach(known, touch);
    this.#moving.set(cookie, known);
  }

  touched(folder: KnownFolder, name: string): void {
    // A folder changes with its contents, which are reported separately.
    if (folder.folder(name) !== undefined || isUnfinished(name)) return;
    this.#touches.at(folder, name).isGone = false;
  }

  touchedPath(path: string): void {
    if (pathFault(path) !== undefined || isWithinUnfinished(path)) return;
    let folder = this.#root;
    const names = path.split("/");
    for (const [index, name] of names.entries()) {
      const next = folder.folder(name);
      // The contents of an unknown folder are reported with the folder.
      if (next === undefined || index === names.length - 1) {
        this.#touches.at(folder, name).isGone = false;
        return;
      }
      folder = next;
    }
  }

  lost(): void {
    this.#end(this.#options.onLost);
  }

  full(): void {
    this.#end(this.#options.onFull);
  }

  #end(tell: () => void): void {
    if (this.#isLost || this.#isClosed) return;
    this.#isLost = true;
    this.#touches.stop();
    this.#learner.stop();
    tell();
  }

  /** Stop reporting, and free the system's resources, in batches. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#learner.stop();
    this.#touches.stop();
    this.#forgetMoving();
    await this.#learner.unwatch(this.#root);
    this.#source.close();
  }

  /** `opened`: the folder; undefined when it is no longer at its path. */
  async #changesAt(
    folder: KnownFolder,
    opened: OpenFolder | undefined,
    name: string,
    touch: Touch,
  ): Promise<StorageChange[]> {
    const path = folder.pathOf(name);
    // Entries that were removed with their folder are reported with it.
    if (path === undefined || pathFault(path) !== undefined) return [];
    if (opened === undefined && !touch.isGone) {
      // Another event, of this folder or one above, says where it went.
      if (this.#source.isExact) this.#touches.noteUnsure(folder, name, touch);
      return [];
    }
    const isThere = !touch.isGone && opened !== undefined;
    this.#source.noteLook(folder, isThere ? opened : undefined, name);
    const entry = isThere ? this.#options.look(opened, path) : undefined;
    if (entry !== HIDDEN && entry?.kind === "folder" && opened !== undefined)
      return this.#folderAt(folder, opened, touch, entry);
    const known = folder.folder(name);
    if (known !== undefined) this.#lose(known, touch);
    const removed: StorageChange = { change: "removed", path, wasFolder: touch.hadFolder };
    if (entry === HIDDEN) {
      folder.deleteOther(name);
      return touch.hadFolder ? [removed] : [];
    }
    if (entry === undefined) return folder.deleteOther(name) || touch.hadFolder ? [removed] : [];
    const isKnown = folder.hasOther(name);
    folder.addOther(name);
    if (touch.hadFolder) return [removed, { change: "added", path, entry }];
    return [{ change: isKnown ? "changed" : "added", path, entry }];
  }

  async #folderAt(
    folder: KnownFolder,
    opened: OpenFolder,
    touch: Touch,
    entry: StorageEntry,
  ): Promise<StorageChange[]> {
    const { path } = entry;
    const name = baseName(path);
    const before = folder.folder(name);
    if (before?.isLearnt && this.#learner.isReplaced(opened, before)) this.#lose(before, touch);
    const changes: StorageChange[] = [];
    const { hadFolder } = touch;
    if (folder.deleteOther(name) || hadFolder) changes.push({ change: "removed", path, wasFolder: hadFolder });
    const known = folder.addFolder(name);
    if (known.isLearnt && !touch.isMoved && changes.length === 0) return [];
    const isWhole = known.isLearnt || (await this.#learner.learnIn(opened, known));
    changes.push({ change: "added", path, entry });
    if (!isWhole) this.full();
    return changes;
  }

  #lose(folder: KnownFolder, touch: Touch): void {
    this.#detach(folder, touch);
    void this.#learner.unwatch(folder);
  }

  #detach(folder: KnownFolder, touch: Touch): void {
    // The source did not report exactly what came and went.
    touch.hadFolder ||= !touch.isMoved;
    touch.isMoved = false;
    folder.detach();
  }

  #forgetMoving(): void {
    for (const folder of this.#moving.values()) void this.#learner.unwatch(folder);
    this.#moving.clear();
  }
}
