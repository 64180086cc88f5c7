import fs from "node:fs";
import { sep } from "node:path";
import { pathFault } from "../path.ts";
import { isWithinUnfinished } from "./part-names.ts";
import type { StorageChange, StorageEntry } from "./storage.ts";

/** Changes are told together that come so close to each other: a copied tree, a file written in pieces. */
const GATHER_MS = 20;

type Listener = (changes: readonly StorageChange[]) => void;

/** Who lists everything below a folder, as Storage.list(). */
type Walk = (folder: string) => AsyncIterable<StorageEntry[]>;

/**
 * Watches a tree for all who want to know. The system tells names, and not always what happened to them: so each is
 * looked at again, and told apart by whether it was known before.
 */
export class FolderWatch {
  readonly #root: string;
  readonly #walk: Walk;
  readonly #look: (path: string) => StorageEntry | undefined;
  readonly #listeners = new Set<Listener>();
  #watcher: fs.FSWatcher | undefined;
  /** Digests of the paths that there are; a path of a million would be a hundred bytes. */
  readonly #known = new Set<number>();
  #touched = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ready: Promise<void> = Promise.resolve();

  /** The telling under way: one after the other, so that what comes later is told later. */
  #telling: Promise<void> = Promise.resolve();

  /** `look` tells what is at a path, as list() would. */
  constructor(root: string, walk: Walk, look: (path: string) => StorageEntry | undefined) {
    this.#look = look;
    this.#root = root;
    this.#walk = walk;
  }

  /** Resolves when every later change will be told. Returns the function that ends it. @throws the system's error */
  async subscribe(listener: Listener): Promise<() => void> {
    this.#listeners.add(listener);
    try {
      if (this.#watcher === undefined) this.#ready = this.#start();
      await this.#ready;
    } catch (error) {
      this.#unsubscribe(listener);
      throw error;
    }
    return () => this.#unsubscribe(listener);
  }

  async #start(): Promise<void> {
    this.#watcher = fs.watch(this.#root, { recursive: true }, (_, name) => {
      if (typeof name === "string") this.#touch(name.split(sep).join("/"));
    });
    // A tree whose root is gone: nothing more will be told.
    this.#watcher.on("error", () => {});
    for await (const batch of this.#walk("")) for (const { path } of batch) this.#known.add(digestOf(path));
  }

  #unsubscribe(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#watcher?.close();
    this.#watcher = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#known.clear();
    this.#touched.clear();
  }

  #touch(path: string): void {
    if (isWithinUnfinished(path) || pathFault(path) !== undefined) return;
    this.#touched.add(path);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#telling = this.#telling.then(() => this.#tell());
    }, GATHER_MS);
  }

  async #tell(): Promise<void> {
    const touched = this.#touched;
    this.#touched = new Set();
    const told = new Set<string>();
    const changes: StorageChange[] = [];
    for (const path of touched) {
      if (told.has(path)) continue;
      const entry = this.#look(path);
      if (entry === undefined) {
        if (this.#known.delete(digestOf(path))) changes.push({ change: "removed", path });
        continue;
      }
      const isNew = !this.#known.has(digestOf(path));
      this.#known.add(digestOf(path));
      // A folder changes with what is in it, and that is told by itself.
      if (isNew || entry.kind !== "folder") changes.push({ change: isNew ? "added" : "changed", path, entry });
      if (!isNew || entry.kind !== "folder") continue;
      for (const change of await this.#below(path)) {
        told.add(change.path);
        changes.push(change);
      }
    }
    if (changes.length > 0) for (const listener of this.#listeners) listener(changes);
  }

  /** What came with a folder that was moved here as a whole. */
  async #below(folder: string): Promise<StorageChange[]> {
    const changes: StorageChange[] = [];
    try {
      for await (const batch of this.#walk(folder)) {
        for (const entry of batch) {
          this.#known.add(digestOf(entry.path));
          changes.push({ change: "added", path: entry.path, entry });
        }
      }
    } catch {
      // gone again: that will be told
    }
    return changes;
  }
}

/** 52 bits: among a million paths two are taken for one in about one case of ten thousand. */
function digestOf(path: string): number {
  return Number(Bun.hash.xxHash3(path) & 0xf_ffff_ffff_ffffn);
}
