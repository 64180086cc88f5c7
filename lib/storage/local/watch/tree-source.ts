import type { OpenFolder } from "../open-folder.ts";
import type { KnownFolder } from "./known-folder.ts";

export interface Arrival {
  readonly isFolder: boolean;
  /** The same for a removal and an addition that are one move; 0 for all others. */
  readonly cookie: number;
}

/** Who wants to know what happens in a tree, in the order in which it happens. */
export interface TreeSink {
  /** There is something new at `name`: a folder, or something else in place of what may have been there. */
  came(folder: KnownFolder, name: string, what: Arrival): void;
  /** What was at `name` is not there any more. */
  gone(folder: KnownFolder, name: string, what: Arrival): void;
  /** Something may have happened to what is at `name`: what, is for the sink to find out. */
  touched(folder: KnownFolder, name: string): void;
  /** The same, where the system tells paths only. */
  touchedPath(path: string): void;
  /** The system has told less than has happened. */
  lost(): void;
  /** The system has no room to tell of all that there is. */
  full(): void;
}

/** How a system tells what happens in a tree. */
export interface TreeSource {
  /** Whether it tells what comes and goes (came(), gone()), and not only that something did. */
  readonly isExact: boolean;
  /**
   * Tell from now on what happens in `folder`, which is open at `place`.
   *
   * @returns false when the system can't watch more
   */
  watch(folder: KnownFolder, place: string): boolean | Promise<boolean>;
  /** Whether what is open at `place` is the very folder for which watch() was called. */
  isSame(folder: KnownFolder, place: string): boolean;
  /** What is at `name` is looked at next, to be told; `opened` is undefined when nothing is there any more. */
  noteLook(folder: KnownFolder, opened: OpenFolder | undefined, name: string): void;
  /** Tell no more of it. No effect where that is another's meanwhile. */
  unwatch(folder: KnownFolder): void;
  /** Nothing is told any more. */
  close(): void;
}
