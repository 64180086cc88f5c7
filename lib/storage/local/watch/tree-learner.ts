import fs from "node:fs";
import { errnoOf } from "../../../errno.ts";
import { pathFault } from "../../../path.ts";
import { Yielder } from "../../../yielder.ts";
import { isOutOfFiles } from "../../disk-error.ts";
import { diskClock } from "../disk-clock.ts";
import { type FolderEntry, readEntries } from "../folder-reader.ts";
import type { Folders } from "../folders.ts";
import { fromLocalName } from "../names/local-names.ts";
import { isUnfinished } from "../names/part-names.ts";
import type { OpenFolder } from "../open-folder.ts";
import type { KnownFolder } from "./known-folder.ts";
import type { TreeSource } from "./tree-source.ts";

/**
 * Reads and watches folders with everything below them, and stops watching them, yielding in between. It reaches
 * entries through their open folder, not by a path, so moves meanwhile can't mix folders up.
 */
export class TreeLearner {
  readonly #folders: Folders;
  readonly #source: TreeSource;
  #isStopped = false;

  constructor(folders: Folders, source: TreeSource) {
    this.#folders = folders;
    this.#source = source;
  }

  /** The known folder, open; the caller releases it. undefined when its path now has another folder, or none. */
  open(folder: KnownFolder): OpenFolder | undefined {
    const { path } = folder;
    const opened = path === undefined ? undefined : this.#tried(() => this.#folders.open(path));
    if (opened === undefined || this.#source.isSame(folder, opened.at("."))) return opened;
    opened.release();
    return undefined;
  }

  /** Whether another folder has the known folder's name in the open `holder`. */
  isReplaced(holder: OpenFolder, folder: KnownFolder): boolean {
    const opened = this.#tried(() => this.#openIn(holder, folder));
    if (opened === undefined) return false; // unreadable
    const isSame = this.#source.isSame(folder, opened.at("."));
    opened.release();
    return !isSame;
  }

  /**
   * Read everything below the root.
   *
   * @returns false when not all of it can be watched; true or false after stop()
   * @throws as Folders.open(); the system's error out of files
   */
  learnRoot(root: KnownFolder): Promise<boolean> {
    return this.#learn(root, this.#folders.open(""), new Yielder(diskClock));
  }

  /** As learnRoot(), for a folder in the open `holder`. */
  async learnIn(holder: OpenFolder, folder: KnownFolder, yielder = new Yielder(diskClock)): Promise<boolean> {
    let opened: OpenFolder;
    try {
      opened = this.#openIn(holder, folder);
    } catch (cause) {
      if (isOutOfFiles(cause)) throw cause;
      // As in list(), an unreadable folder counts as empty. One that was just removed, or is private, stays unknown.
      if (errnoOf(cause) !== "EACCES") folder.detach();
      return true;
    }
    return this.#learn(folder, opened, yielder);
  }

  /** Stop watching a folder and everything below it. */
  async unwatch(top: KnownFolder): Promise<void> {
    const yielder = new Yielder(diskClock);
    const waiting = [top];
    for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
      this.#source.unwatch(folder);
      waiting.push(...folder.folders);
      if (yielder.isDue) await yielder.pause();
    }
  }

  /** Read nothing more. */
  stop(): void {
    this.#isStopped = true;
  }

  async #learn(folder: KnownFolder, opened: OpenFolder, yielder: Yielder): Promise<boolean> {
    try {
      // Before reading: an entry that arrives meanwhile may be seen twice, but can't be missed.
      const watched = this.#source.watch(folder, opened.at("."));
      let isWhole = typeof watched === "boolean" ? watched : await watched;
      folder.isLearnt = true;
      const added: KnownFolder[] = [];
      try {
        folder.clearOthers();
        for (const entries of readEntries(opened.at("."))) {
          for (const entry of entries) {
            const below = this.#note(folder, opened, entry);
            if (below !== undefined) added.push(below);
            if (yielder.isDue) await yielder.pause();
            if (this.#isStopped) return false;
          }
        }
      } catch (cause) {
        if (isOutOfFiles(cause)) throw cause;
      }
      for (const below of added) {
        // Folders that were removed or moved meanwhile have events of their own.
        if (below.parent === folder) isWhole = (await this.learnIn(opened, below, yielder)) && isWhole;
        if (this.#isStopped) return false;
      }
      return isWhole;
    } finally {
      opened.release();
    }
  }

  /** Note an entry of a folder. @returns it if it is a folder itself */
  #note(folder: KnownFolder, opened: OpenFolder, entry: FolderEntry): KnownFolder | undefined {
    if (entry.name === undefined || isUnfinished(entry.name)) return undefined;
    const name = fromLocalName(entry.name);
    if (this.#folders.guard.reservationOf({ folder: opened, name }) === "private") return undefined;
    const isFolder = entry.isFolder ?? fs.lstatSync(opened.at(name), { throwIfNoEntry: false })?.isDirectory() ?? false;
    if (!isFolder) folder.addOther(name);
    else if (pathFault(folder.pathOf(name) ?? "") === undefined) return folder.addFolder(name);
    return undefined;
  }

  /** @throws as Folders.open() */
  #openIn(holder: OpenFolder, { name, path = name }: KnownFolder): OpenFolder {
    return this.#folders.openIn(holder, name, path);
  }

  /** @throws the system's error out of files */
  #tried(open: () => OpenFolder): OpenFolder | undefined {
    try {
      return open();
    } catch (cause) {
      if (isOutOfFiles(cause)) throw cause;
      return undefined;
    }
  }
}
