import type { Folders } from "./folders.ts";
import { InotifySource } from "./inotify-source.ts";
import type { Found } from "./local-list.ts";
import type { OpenFolder } from "./open-folder.ts";
import { RecursiveSource } from "./recursive-source.ts";
import type { StorageChange } from "./storage.ts";
import type { OpenTreeSource, TreeSource } from "./tree-source.ts";
import { WatchedTree } from "./watched-tree.ts";

/** Changes are told together that come so close to each other: a copied tree, a file written in pieces. */
const GATHER_MS = 20;
/** What is there is learnt anew only so long after too much has happened: it may go on, and shall not keep us busy. */
const RENEW_MS = 500;
/** What could not be learnt anew may be later. */
const RETRY_MS = 30_000;
/** Who comes so soon after the last has left finds the tree known. */
const LINGER_MS = 5_000;

type Listener = (changes: readonly StorageChange[]) => void;

export interface FolderWatchOptions {
  readonly root: string;
  readonly folders: Folders;
  /** As lookIn(). */
  look(folder: OpenFolder, path: string): Found;
  readonly openSource?: OpenTreeSource;
}

/**
 * Watches a tree for all who want to know. What is told waits for its turn: a tree is learnt, and looked at, in pieces of
 * bounded work, and so is what is told of it.
 */
export class FolderWatch {
  readonly #options: FolderWatchOptions;
  readonly #listeners = new Set<Listener>();
  /** What is watched now, and what settles when it is known. */
  #tree: WatchedTree | undefined;
  #ready: Promise<void> | undefined;
  #isTelling = false;
  /** Changes that are not told one by one. While there are any, what is there is about to be learnt anew. */
  #missed = 0;
  readonly #timers = new Map<"gather" | "renew" | "leave", ReturnType<typeof setTimeout>>();

  constructor(options: FolderWatchOptions) {
    this.#options = options;
  }

  /**
   * Resolves when every later change will be told. Returns the function that ends it.
   *
   * @throws StorageError INTERNAL; the system's error
   */
  async subscribe(listener: Listener): Promise<() => void> {
    this.#cancel("leave");
    this.#listeners.add(listener);
    try {
      this.#ready ??= this.#open();
      await this.#ready;
    } catch (error) {
      this.#unsubscribe(listener);
      throw error;
    }
    return () => this.#unsubscribe(listener);
  }

  /** Watch the tree and learn what is there. @throws as subscribe() */
  async #open(): Promise<void> {
    const { root, folders, look, openSource = openBestSource } = this.#options;
    this.#tree = undefined;
    let tree: WatchedTree | undefined;
    try {
      const opened: WatchedTree = new WatchedTree(root, {
        folders,
        look,
        openSource,
        onTouched: () => this.#gather(opened),
        onLost: () => this.#lose(opened),
      });
      tree = opened;
      this.#tree = opened;
      await opened.learn();
    } catch (error) {
      if (tree === this.#tree) this.#stop();
      throw error;
    }
  }

  #gather(tree: WatchedTree): void {
    if (tree !== this.#tree || this.#isTelling) return;
    this.#after(GATHER_MS, "gather", () => void this.#tell(tree));
  }

  async #tell(tree: WatchedTree): Promise<void> {
    this.#isTelling = true;
    try {
      await this.#ready;
      for await (const changes of tree.changes()) this.#emit(changes);
    } catch {
      // No file could be opened for a look: what has happened is not known.
      tree.lost();
    } finally {
      this.#isTelling = false;
    }
    if (this.#tree !== undefined && this.#tree.touchedCount > 0) this.#gather(this.#tree);
  }

  #lose(tree: WatchedTree): void {
    if (tree !== this.#tree) return;
    this.#missed += 1 + tree.touchedCount;
    this.#after(RENEW_MS, "renew", () => void this.#renew(tree));
  }

  /** Learn anew what is there. Then, and not before, it is of use to hear that something was missed: the rest is told. */
  async #renew(lost: WatchedTree | undefined): Promise<void> {
    if (lost !== this.#tree) return;
    // The system may not have room for both.
    await lost?.close();
    if (lost !== this.#tree || this.#listeners.size === 0) return;
    this.#ready = this.#open();
    try {
      await this.#ready;
    } catch {
      this.#after(RETRY_MS, "renew", () => void this.#renew(undefined));
    }
    if (this.#tree?.isLost) return;
    const count = this.#missed;
    this.#missed = 0;
    this.#emit([{ change: "missed", count: Math.max(1, count) }]);
    if (this.#tree !== undefined && this.#tree.touchedCount > 0) this.#gather(this.#tree);
  }

  #emit(changes: readonly StorageChange[]): void {
    for (const listener of this.#listeners) listener(changes);
  }

  #unsubscribe(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size === 0) this.#after(LINGER_MS, "leave", () => this.#stop());
  }

  #stop(): void {
    const tree = this.#tree;
    this.#tree = undefined;
    this.#ready = undefined;
    this.#missed = 0;
    this.#cancel("gather");
    this.#cancel("renew");
    void tree?.close();
  }

  /** Unless it is about to happen anyway. */
  #after(ms: number, what: "gather" | "renew" | "leave", action: () => void): void {
    if (this.#timers.has(what)) return;
    const timer = setTimeout(() => {
      this.#timers.delete(what);
      action();
    }, ms);
    timer.unref();
    this.#timers.set(what, timer);
  }

  #cancel(what: "gather" | "renew" | "leave"): void {
    clearTimeout(this.#timers.get(what));
    this.#timers.delete(what);
  }
}

/** Folder by folder where the system has that, and lets this process call it. */
function openBestSource(...[root, sink]: Parameters<OpenTreeSource>): TreeSource {
  return InotifySource.open(sink) ?? new RecursiveSource(root, sink);
}
