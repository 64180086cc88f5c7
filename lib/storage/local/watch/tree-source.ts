import type { OpenFolder } from "../open-folder.ts";
import type { KnownFolder } from "./known-folder.ts";

export interface Arrival {
  readonly isFolder: boolean;
  /** The same for a removal and an addition that are one move; 0 for all others. */
  readonly cookie: number;
}

/** Gets what happens in a tree, in that order. */
export interface TreeSink {
  /** Something new is at `name`: a folder, or something else that may have replaced what was there. */
  came(folder: KnownFolder, name: string, what: Arrival): void;
  /** What was at `name` is gone. */
  gone(folder: KnownFolder, name: string, what: Arrival): void;
  /** Something may have happened at `name`: the sink finds out what. */
  touched(folder: KnownFolder, name: string): void;
  /** The same, where the system reports only paths. */
  touchedPath(path: string): void;
  /** The system has dropped events. */
  lost(): void;
  /** The system can't watch so much. */
  full(): void;
}

/** How the system reports what happens in a tree. */
export interface TreeSource {
  /** Whether it reports what came and went (came(), gone()), and not only that something did. */
  readonly isExact: boolean;
  /**
   * Report from now on what happens in `folder`, which is open at `place`.
   *
   * @returns false when the system can't watch more
   */
  watch(folder: KnownFolder, place: string): boolean | Promise<boolean>;
  /** Whether what is open at `place` is the very folder for which watch() was called. */
  isSame(folder: KnownFolder, place: string): boolean;
  /** `name` is about to be looked at, and reported; `opened` is undefined when nothing is there any more. */
  noteLook(folder: KnownFolder, opened: OpenFolder | undefined, name: string): void;
  /** Stop reporting it. No effect when its watch is another folder's by now. */
  unwatch(folder: KnownFolder): void;
  /** Stop reporting. */
  close(): void;
}
