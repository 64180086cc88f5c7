import fs from "node:fs";
import { isTelling, isWrittenByOthers } from "../disk-kind.ts";
import type { Folders } from "../folders.ts";
import type { OpenFolder } from "../open-folder.ts";
import { InotifySource } from "./inotify-source.ts";
import type { KnownFolder } from "./known-folder.ts";
import { LookingSource } from "./looking-source.ts";
import type { TreeSink, TreeSource } from "./tree-source.ts";

/**
 * Gets reports from the system (Linux), and also polls where others may write without such a report: on the server of
 * an NFS or sshfs mount, or in a layer of an overlay.
 */
export class HearingSource implements TreeSource {
  readonly isExact = true;
  readonly #inotify: InotifySource;
  readonly #looking: LookingSource;
  readonly #onDeaf: () => void;

  private constructor(inotify: InotifySource, looking: LookingSource, onDeaf: () => void) {
    this.#inotify = inotify;
    this.#looking = looking;
    this.#onDeaf = onDeaf;
  }

  /** `onDeaf` is called when others can write to a disk without a report. undefined as InotifySource.open(). */
  static open(sink: TreeSink, folders: Folders, onDeaf: () => void): HearingSource | undefined {
    const inotify = InotifySource.open(sink);
    return inotify && new HearingSource(inotify, new LookingSource(sink, folders), onDeaf);
  }

  watch(folder: KnownFolder, place: string): boolean | Promise<boolean> {
    if (!this.#inotify.watch(folder, place)) {
      // A folder that can't be read now may be readable later; it does not mean that the system can watch no more.
      if (isReadable(place)) return false;
      return this.#looking.watch(folder, place);
    }
    if (isTelling(place)) return true;
    if (!isWrittenByOthers(place)) {
      this.#looking.watchLater(folder);
      return true;
    }
    this.#onDeaf();
    return this.#looking.watch(folder, place);
  }

  isSame(folder: KnownFolder, place: string): boolean {
    return this.#inotify.isSame(folder, place);
  }

  unwatch(folder: KnownFolder): void {
    this.#inotify.unwatch(folder);
    this.#looking.unwatch(folder);
  }

  noteLook(folder: KnownFolder, opened: OpenFolder | undefined, name: string): void {
    this.#looking.noteLook(folder, opened, name);
  }

  close(): void {
    this.#inotify.close();
    this.#looking.close();
  }
}

function isReadable(place: string): boolean {
  try {
    fs.accessSync(place, fs.constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
