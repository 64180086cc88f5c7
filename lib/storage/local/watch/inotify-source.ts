import { Yielder } from "../../../yielder.ts";
import { diskClock } from "../disk-clock.ts";
import { IN, Inotify, type InotifyEvent, parseEvents } from "./inotify.ts";
import type { KnownFolder } from "./known-folder.ts";
import type { TreeSink, TreeSource } from "./tree-source.ts";

/** Each event takes microseconds: check the clock after this many. */
const EVENTS_PER_LOOK = 64;

/**
 * Watches each folder of a tree separately: moved folders need not be read again, and lost events are noticed (Linux).
 */
export class InotifySource implements TreeSource {
  readonly isExact = true;
  readonly #inotify: Inotify;
  readonly #sink: TreeSink;
  readonly #folders = new Map<number, KnownFolder>();

  private constructor(inotify: Inotify, sink: TreeSink) {
    this.#inotify = inotify;
    this.#sink = sink;
    void this.#listen();
  }

  /** undefined as Inotify.open(). */
  static open(sink: TreeSink): InotifySource | undefined {
    const inotify = Inotify.open();
    return inotify && new InotifySource(inotify, sink);
  }

  watch(folder: KnownFolder, place: string): boolean {
    const watch = this.#inotify.add(place);
    if (watch === undefined) return false;
    if (folder.watchId !== undefined && folder.watchId !== watch) this.unwatch(folder);
    folder.watchId = watch;
    this.#folders.set(watch, folder);
    return true;
  }

  isSame({ watchId }: KnownFolder, place: string): boolean {
    // The system recognizes a folder that is watched already, under any name, and returns the same watch.
    return watchId === undefined || this.#inotify.add(place) === watchId;
  }

  noteLook(): void {}

  unwatch(folder: KnownFolder): void {
    const { watchId } = folder;
    if (watchId === undefined || this.#folders.get(watchId) !== folder) return;
    this.#folders.delete(watchId);
    this.#inotify.remove(watchId);
  }

  close(): void {
    this.#inotify.close();
  }

  async #listen(): Promise<void> {
    const yielder = new Yielder(diskClock);
    let taken = 0;
    try {
      for (let bytes = await this.#inotify.read(); bytes !== undefined; bytes = await this.#inotify.read()) {
        for (const event of parseEvents(bytes)) {
          this.#take(event);
          // While this waits, nothing is read; the system reports events as lost that it can't keep meanwhile.
          if (++taken % EVENTS_PER_LOOK === 0 && yielder.isDue) await yielder.pause();
        }
      }
    } catch {
      this.#sink.lost();
    }
  }

  #take({ watch, mask, cookie, name }: InotifyEvent): void {
    if ((mask & IN.Q_OVERFLOW) !== 0) return this.#sink.lost();
    const folder = this.#folders.get(watch);
    if (folder === undefined) return;
    if ((mask & IN.IGNORED) !== 0) {
      this.#folders.delete(watch);
      // For all other folders, the folder above reports that they are gone.
      if (folder.path === "") this.#sink.lost();
      return;
    }
    if (name === undefined || name === "") return;
    const isFolder = (mask & IN.ISDIR) !== 0;
    if ((mask & (IN.MOVED_FROM | IN.DELETE)) !== 0) this.#sink.gone(folder, name, { isFolder, cookie });
    else if ((mask & (IN.MOVED_TO | IN.CREATE)) !== 0) this.#sink.came(folder, name, { isFolder, cookie });
    else this.#sink.touched(folder, name);
  }
}
