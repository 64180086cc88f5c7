import { baseName, pathFault } from "../../../path.ts";
import { Yielder } from "../../../yielder.ts";
import type { StorageChange, StorageEntry } from "../../storage.ts";
import { diskClock } from "../disk-clock.ts";
import type { Folders } from "../folders.ts";
import { type Found, HIDDEN } from "../local-list.ts";
import { isUnfinished, isWithinUnfinished } from "../names/part-names.ts";
import type { OpenFolder } from "../open-folder.ts";
import { KnownFolder } from "./known-folder.ts";
import { TreeLearner } from "./tree-learner.ts";
import type { Arrival, TreeSink, TreeSource } from "./tree-source.ts";

/** Names that may wait for a look; when there are more, what is there is learnt anew. */
export const MAX_TOUCHED = 50_000;
/** Names of one folder, or folders, of which it is not known where they went. */
const MAX_UNSURE = 1_000;
/** Changes that are told together, about. */
const BATCH_CHANGES = 256;

export interface WatchedTreeOptions {
  readonly folders: Folders;
  /** As lookIn(). */
  look(folder: OpenFolder, path: string): Found;
  openSource(sink: TreeSink): TreeSource;
  /** Something waits to be told. */
  onTouched(): void;
  /** More has happened than is known: changes() is of no use any more. */
  onLost(): void;
  /** As onLost(), because the source can't tell of so much. */
  onFull(): void;
}

/** What has happened at a name since it was last looked at. */
interface Touch {
  /** The last was that it went: there is nothing to look at. */
  isGone: boolean;
  /** A folder that was told has gone from there. */
  hadFolder: boolean;
  /** The folder that is there now came from elsewhere in the tree, with all that is known of it. */
  isMoved: boolean;
}

/**
 * What is known of a tree, from the moment on that the system tells what happens in it. A folder that comes is learnt
 * before it is told, and then stands for all in it: whoever lists it then finds all that was not told.
 */
export class WatchedTree implements TreeSink {
  readonly #options: WatchedTreeOptions;
  readonly #source: TreeSource;
  readonly #learner: TreeLearner;
  readonly #root = KnownFolder.root();
  #touched = new Map<KnownFolder, Map<string, Touch>>();
  #touchedCount = 0;
  /** Folders that have gone, until it is known whether they come back under another name. */
  readonly #moving = new Map<number, KnownFolder>();
  /** What was touched in a folder that was not where it was known to be. */
  readonly #unsure = new Map<KnownFolder, Map<string, Touch>>();
  #isLost = false;
  #isClosed = false;

  /** @throws the system's error when it can't be watched */
  constructor(options: WatchedTreeOptions) {
    this.#options = options;
    this.#source = options.openSource(this);
    this.#learner = new TreeLearner(options.folders, this.#source);
  }

  /** Names that wait for a look. */
  get touchedCount(): number {
    return this.#touchedCount;
  }

  /** True when more has happened than is known. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Learn all that there is. @returns false when it is too much to watch @throws StorageError as Folders.open() for the root */
  async learn(): Promise<boolean> {
    return (await this.#learner.learnRoot(this.#root)) || this.#isLost || this.#isClosed;
  }

  /** What has happened to all that was touched until now, some at a time. @throws the system's error out of files */
  async *changes(): AsyncGenerator<StorageChange[], void> {
    const touched = this.#touched;
    this.#touched = new Map();
    this.#touchedCount = 0;
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
    const touch = this.#touch(folder, name);
    touch.isGone = false;
    if (moved === undefined) return;
    const replaced = folder.folder(name);
    if (replaced !== undefined) this.#lose(replaced, touch);
    folder.adopt(name, moved);
    touch.isMoved = true;
    this.#touchUnsure();
  }

  gone(folder: KnownFolder, name: string, { isFolder, cookie }: Arrival): void {
    if (isUnfinished(name)) return;
    const touch = this.#touch(folder, name);
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
    // A folder changes with what is in it, and that is told by itself.
    if (folder.folder(name) !== undefined || isUnfinished(name)) return;
    this.#touch(folder, name).isGone = false;
  }

  touchedPath(path: string): void {
    if (pathFault(path) !== undefined || isWithinUnfinished(path)) return;
    let folder = this.#root;
    const names = path.split("/");
    for (const [index, name] of names.entries()) {
      const next = folder.folder(name);
      // What is in a folder that is not known comes with it.
      if (next === undefined || index === names.length - 1) {
        this.#touch(folder, name).isGone = false;
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
    this.#learner.stop();
    tell();
  }

  /** Nothing is told any more. What the system keeps for it is given back, some at a time. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#learner.stop();
    this.#touched.clear();
    this.#forgetMoving();
    await this.#learner.unwatch(this.#root);
    this.#source.close();
  }

  #touch(folder: KnownFolder, name: string): Touch {
    let names = this.#touched.get(folder);
    if (names === undefined) {
      names = new Map();
      this.#touched.set(folder, names);
    }
    let touch = names.get(name);
    if (touch === undefined) {
      touch = { isGone: false, hadFolder: false, isMoved: false };
      if (this.#isLost || this.#isClosed) return touch;
      names.set(name, touch);
      this.#touchedCount++;
      if (this.#touchedCount > MAX_TOUCHED) this.lost();
      else this.#options.onTouched();
    }
    return touch;
  }

  /** `opened`: the folder, undefined when it is not where it was. */
  async #changesAt(
    folder: KnownFolder,
    opened: OpenFolder | undefined,
    name: string,
    touch: Touch,
  ): Promise<StorageChange[]> {
    const path = folder.pathOf(name);
    // What has gone with its folder is told by that.
    if (path === undefined || pathFault(path) !== undefined) return [];
    if (opened === undefined && !touch.isGone) {
      this.#noteUnsure(folder, name, touch);
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

  /** Where the folder went, another event tells, of it or of one above it. */
  #noteUnsure(folder: KnownFolder, name: string, touch: Touch): void {
    if (!this.#source.isExact) return;
    const names = this.#unsure.get(folder) ?? new Map();
    this.#unsure.set(folder, names.set(name, touch));
    if (this.#unsure.size > MAX_UNSURE || names.size > MAX_UNSURE) this.lost();
  }

  /** What was not found where it was may be found where it is now. */
  #touchUnsure(): void {
    const unsure = [...this.#unsure];
    this.#unsure.clear();
    for (const [folder, names] of unsure) {
      for (const [name, earlier] of names) {
        const touch = this.#touch(folder, name);
        touch.hadFolder ||= earlier.hadFolder;
        touch.isMoved ||= earlier.isMoved;
      }
    }
  }

  #lose(folder: KnownFolder, touch: Touch): void {
    this.#detach(folder, touch);
    void this.#learner.unwatch(folder);
  }

  #detach(folder: KnownFolder, touch: Touch): void {
    // What came and went was not told.
    touch.hadFolder ||= !touch.isMoved;
    touch.isMoved = false;
    folder.detach();
  }

  #forgetMoving(): void {
    for (const folder of this.#moving.values()) void this.#learner.unwatch(folder);
    this.#moving.clear();
  }
}
