import { StorageError } from "../../../errors.ts";
import { storageNotice } from "../../../storage-faults.ts";
import type { StorageChange } from "../../storage.ts";
import type { Folders } from "../folders.ts";
import type { Found } from "../local-list.ts";
import type { OpenFolder } from "../open-folder.ts";
import { DEAF, type Lateness, type OpenedSource, openBestSource, openLookingSource } from "./best-source.ts";
import { NamedTimers } from "./named-timers.ts";
import { askMark, markNow } from "./root-mark.ts";
import type { TreeSink } from "./tree-source.ts";
import { WatchedTree } from "./watched-tree.ts";

/** Changes within this time are reported together, such as a copied tree, or a file written in pieces. */
const GATHER_MS = 20;
/**
 * After too many changes the tree is read again only after this time: more changes may follow, and must not keep us
 * busy.
 */
const RENEW_MS = 500;
/** When to retry after a tree could not be read; and how often to check whether the root is still the same. */
const RETRY_MS = 30_000;
const CHECK_MS = 2_000;
/** How long the tree is kept after its last watcher has left, for the next one. */
const LINGER_MS = 5_000;

type Listener = (changes: readonly StorageChange[]) => void;

export interface FolderWatchOptions {
  readonly folders: Folders;
  /** As lookIn(). */
  look(folder: OpenFolder, path: string): Found;
  /** Called once, with a message for the operator, when changes are reported late. */
  onNotice?(message: string): void;
  /** In place of openBestSource(). */
  openSource?(folders: Folders, sink: TreeSink, onDeaf: () => void): OpenedSource;
}

/**
 * Watches a tree for all listeners. Reading the tree, checking changes and reporting them are done in pieces of bounded
 * work, yielding in between.
 */
export class FolderWatch {
  readonly #options: FolderWatchOptions;
  readonly #listeners = new Set<Listener>();
  /** The tree that is watched now, and a promise that settles when it is known. */
  #tree: WatchedTree | undefined;
  #ready: Promise<void> | undefined;
  #isTelling = false;
  /** The number of changes that were not reported one by one. While it is not 0, the tree will be read again. */
  #missed = 0;
  /** The reason, for people. */
  #why: string | undefined;
  /** Why changes are reported late at present. */
  #lateness: Lateness | undefined;
  /** The notices that the operator has got. */
  readonly #noticed = new Set<Lateness>();
  /** The system can watch no more; don't try again until all listeners have left. */
  #isFull = false;
  /** Incremented with each attempt to learn the tree, and when nobody wants it any more. */
  #openings = 0;
  /** The mark of the root when the tree was learnt. */
  #mark: string | undefined;
  readonly #timers = new NamedTimers<"gather" | "renew" | "leave" | "check">();

  constructor(options: FolderWatchOptions) {
    this.#options = options;
  }

  /**
   * Resolves when every later change will be reported. Returns the function that ends it.
   *
   * @throws StorageError as Folders.open(); the system's error
   */
  async subscribe(listener: Listener): Promise<() => void> {
    this.#timers.cancel("leave");
    this.#listeners.add(listener);
    try {
      // Others may wait for a tree that could not be read: a new listener retries for all of them.
      this.#ready ??= this.#listeners.size > 1 ? this.#reopen() : this.#open();
      await this.#ready;
    } catch (error) {
      this.#unsubscribe(listener);
      throw error;
    }
    if (this.#lateness !== undefined) listener([missed(0, this.#lateness.message)]);
    return () => this.#unsubscribe(listener);
  }

  /** Watch the tree, and learn its entries. @throws as subscribe() */
  async #open(): Promise<void> {
    const { folders, openSource = openBestSource } = this.#options;
    this.#tree = undefined;
    const opening = ++this.#openings;
    try {
      folders.open("").release();
      this.#mark = markNow(folders.tree.given, folders.root);
      if (this.#isFull || !(await this.#learn(openSource))) {
        this.#isFull = true;
        await this.#learn(openLookingSource);
      }
    } catch (error) {
      if (opening === this.#openings) this.#stop();
      throw error;
    }
    this.#timers.after(CHECK_MS, "check", () => void this.#check());
  }

  /** @returns false when the system can't watch so much @throws as subscribe() */
  async #learn(openSource: NonNullable<FolderWatchOptions["openSource"]>): Promise<boolean> {
    const { folders, look } = this.#options;
    let lateness: Lateness | undefined;
    const tree: WatchedTree = new WatchedTree({
      folders,
      look,
      openSource: (sink) => {
        const opened = openSource(folders, sink, () => {
          if (lateness === undefined) this.#setLateness(DEAF);
          lateness ??= DEAF;
        });
        lateness = opened.lateness;
        return opened.source;
      },
      onTouched: () => this.#gather(tree),
      onLost: () => this.#lose(tree),
      onFull: () => {
        if (tree === this.#tree) this.#isFull = true;
        this.#lose(tree);
      },
    });
    this.#tree = tree;
    this.#lateness = undefined;
    if (lateness !== undefined) this.#setLateness(lateness);
    if (await tree.learn()) return true;
    await tree.close();
    return tree !== this.#tree;
  }

  #setLateness(lateness: Lateness): void {
    this.#lateness = lateness;
    if (this.#noticed.has(lateness)) return;
    this.#noticed.add(lateness);
    this.#options.onNotice?.(lateness.advice);
  }

  /** Check whether the root, and what is mounted below it, are still the same. */
  async #check(): Promise<void> {
    const tree = this.#tree;
    if (tree === undefined || tree.isLost) return;
    const { folders } = this.#options;
    const mark = await askMark(folders.tree.given, folders.root);
    if (tree !== this.#tree || tree.isLost) return;
    if (mark === this.#mark) return this.#timers.after(CHECK_MS, "check", () => void this.#check());
    this.#why = storageNotice.replaced;
    tree.lost();
  }

  #gather(tree: WatchedTree): void {
    if (tree !== this.#tree || this.#isTelling) return;
    this.#timers.after(GATHER_MS, "gather", () => void this.#tell(tree));
  }

  async #tell(tree: WatchedTree): Promise<void> {
    this.#isTelling = true;
    try {
      await this.#ready;
      for await (const changes of tree.changes()) this.#emit(changes);
    } catch {
      // No file could be opened, so the changes are unknown.
      tree.lost();
    } finally {
      this.#isTelling = false;
    }
    if (this.#tree !== undefined && this.#tree.touchedCount > 0) this.#gather(this.#tree);
  }

  #lose(tree: WatchedTree): void {
    if (tree !== this.#tree) return;
    this.#missed += 1 + tree.touchedCount;
    this.#timers.after(RENEW_MS, "renew", () => void this.#renew(tree));
  }

  async #renew(lost: WatchedTree | undefined): Promise<void> {
    if (lost !== this.#tree) return;
    // The system may not have room for both.
    await lost?.close();
    if (lost !== this.#tree) return;
    // A new listener must not wait for a closed tree.
    if (this.#listeners.size === 0) return this.#stop();
    this.#ready = this.#reopen(lost !== undefined);
    await this.#ready.catch(() => {}); // reported, and tried again
  }

  /**
   * Read the tree again. Only then does `missed` help a listener, since later changes are reported. If the tree can't
   * be read, try again later; `isFirst`: no listener knows of the failure yet.
   *
   * @throws as subscribe()
   */
  async #reopen(isFirst = false): Promise<void> {
    this.#timers.cancel("renew");
    const latenessBefore = this.#lateness;
    try {
      await this.#open();
    } catch (error) {
      // A new listener gets the reason as its error.
      const message = error instanceof StorageError ? error.message : storageNotice.notWatched;
      if (isFirst) this.#emit([missed(1, message)]);
      const isGone = error instanceof StorageError && error.code === "UNREADABLE";
      this.#why = storageNotice.replaced;
      this.#timers.after(isGone ? CHECK_MS : RETRY_MS, "renew", () => void this.#renew(undefined));
      throw error;
    }
    if (this.#tree?.isLost) return;
    this.#emit([missed(Math.max(1, this.#missed), this.#why)]);
    this.#missed = 0;
    this.#why = undefined;
    if (this.#lateness !== latenessBefore && this.#lateness) this.#emit([missed(0, this.#lateness.message)]);
    if (this.#tree !== undefined && this.#tree.touchedCount > 0) this.#gather(this.#tree);
  }

  #emit(changes: readonly StorageChange[]): void {
    for (const listener of this.#listeners) listener(changes);
  }

  #unsubscribe(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size === 0) this.#timers.after(LINGER_MS, "leave", () => this.#stop());
  }

  #stop(): void {
    const tree = this.#tree;
    this.#openings++;
    this.#tree = undefined;
    this.#ready = undefined;
    this.#missed = 0;
    this.#isFull = false;
    this.#lateness = undefined;
    this.#timers.cancel("gather");
    this.#timers.cancel("renew");
    this.#timers.cancel("check");
    void tree?.close();
  }
}

function missed(count: number, message: string | undefined): StorageChange {
  return message === undefined ? { change: "missed", count } : { change: "missed", count, message };
}
