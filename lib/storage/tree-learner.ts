import fs from "node:fs";
import { Pacer } from "../pacer.ts";
import { pathFault } from "../path.ts";
import { diskClock } from "./disk-clock.ts";
import { errnoOf, isOutOfFiles } from "./disk-error.ts";
import { type FolderEntry, readEntries } from "./folder-reader.ts";
import type { Folders } from "./folders.ts";
import type { KnownFolder } from "./known-folder.ts";
import { fromLocalName } from "./local-names.ts";
import type { OpenFolder } from "./open-folder.ts";
import { isUnfinished } from "./part-names.ts";
import type { TreeSource } from "./tree-source.ts";

/** Makes folders known and watched with all below them, and lets go of them again: in turns with all else. */
export class TreeLearner {
  readonly #folders: Folders;
  readonly #source: TreeSource;
  #isStopped = false;

  constructor(folders: Folders, source: TreeSource) {
    this.#folders = folders;
    this.#source = source;
  }

  /**
   * Learn what is in `top`, and below it. `onMissing` is told of a folder in it that was not there any more: nothing is
   * known of it.
   *
   * @returns false when not all of it can be watched, or after stop()
   * @throws as Folders.open() when `top` is the root; the system's error out of files
   */
  async learn(top: KnownFolder, onMissing: (holder: KnownFolder, name: string) => void): Promise<boolean> {
    const pacer = new Pacer(diskClock);
    let isWhole = true;
    const waiting = [top];
    for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
      const opened = this.#open(folder, onMissing);
      if (opened === undefined) continue;
      try {
        // First: what comes while it is read may be seen twice, but not missed.
        isWhole = this.#source.watch(folder, opened.at(".")) && isWhole;
        if (!this.#source.isExact) folder.identity = identityOf(opened);
        folder.clearOthers();
        for (const entries of readEntries(opened.at("."))) {
          for (const entry of entries) {
            const added = note(folder, opened, entry);
            if (added !== undefined) waiting.push(added);
            if (pacer.isDue) await pacer.pause();
            if (this.#isStopped) return false;
          }
        }
      } catch (cause) {
        // As for list(): in what can't be read, or has just gone, there is nothing.
        if (isOutOfFiles(cause)) throw cause;
      } finally {
        opened.release();
      }
    }
    return isWhole;
  }

  /** Whether another folder has come in its place, which not every source tells. */
  isReplaced(folder: KnownFolder): boolean {
    const { path } = folder;
    if (this.#source.isExact || path === undefined) return false;
    try {
      const opened = this.#folders.open(path);
      try {
        return identityOf(opened) !== folder.identity;
      } finally {
        opened.release();
      }
    } catch {
      return true;
    }
  }

  /** Give back what the system keeps for a folder and all below it. */
  async unwatch(top: KnownFolder): Promise<void> {
    const pacer = new Pacer(diskClock);
    const waiting = [top];
    for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
      this.#source.unwatch(folder);
      waiting.push(...folder.folders);
      if (pacer.isDue) await pacer.pause();
    }
  }

  /** Nothing more is learnt. */
  stop(): void {
    this.#isStopped = true;
  }

  /** undefined when it has gone, or is not for us to read. @throws as learn() */
  #open(folder: KnownFolder, onMissing: (holder: KnownFolder, name: string) => void): OpenFolder | undefined {
    const { path, parent, name } = folder;
    if (path === undefined) return undefined;
    try {
      return this.#folders.open(path);
    } catch (cause) {
      if (parent === undefined || isOutOfFiles(cause)) throw cause;
      if (errnoOf(cause) === "EACCES") return undefined;
      folder.detach();
      onMissing(parent, name);
      return undefined;
    }
  }
}

/** Note what is in a folder. @returns it when it is a folder itself */
function note(folder: KnownFolder, opened: OpenFolder, entry: FolderEntry): KnownFolder | undefined {
  if (entry.name === undefined || isUnfinished(entry.name)) return undefined;
  const name = fromLocalName(entry.name);
  const isFolder = entry.isFolder ?? fs.lstatSync(opened.at(name), { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (!isFolder) folder.addOther(name);
  else if (pathFault(folder.pathOf(name) ?? "") === undefined) return folder.addFolder(name);
  return undefined;
}

/** The number of a folder is given to another when it is gone, but not at the same time. */
function identityOf(opened: OpenFolder): string {
  const { dev, ino, birthtimeNs } = fs.statSync(opened.at("."), { bigint: true });
  return `${dev} ${ino} ${birthtimeNs}`;
}
