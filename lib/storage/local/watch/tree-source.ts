import type { OpenFolder } from "../open-folder.ts";
import type { KnownFolder } from "./known-folder.ts";

export interface Arrival {
  readonly isFolder: boolean;
  /** The same for the removal and the addition of one move; 0 for all others. */
  readonly cookie: number;
}

/** Gets the events of a tree, in their order. */
export interface TreeSink {
  /** Something new is at `name`: a folder, or something else, which may have replaced another entry. */
  came(folder: KnownFolder, name: string, what: Arrival): void;
  /** The entry at `name` is gone. */
  gone(folder: KnownFolder, name: string, what: Arrival): void;
  /** Something may have happened at `name`: the sink checks. */
  touched(folder: KnownFolder, name: string): void;
  /** As touched(), for systems that report only paths. */
  touchedPath(path: string): void;
  /** The system has dropped events. */
  lost(): void;
  /** The system can watch no more. */
  full(): void;
}

/** A source of events in a tree. */
export interface TreeSource {
  /** Whether it reports exactly what came and went (came(), gone()), and not only that something changed. */
  readonly isExact: boolean;
  /**
   * Report events in `folder`, which is open at `place`, from now on.
   *
   * @returns false when the system can't watch more
   */
  watch(folder: KnownFolder, place: string): boolean | Promise<boolean>;
  /** Whether the folder that is open at `place` is the one for which watch() was called. */
  isSame(folder: KnownFolder, place: string): boolean;
  /** `name` is about to be checked and reported; `opened` is undefined when nothing is there any more. */
  noteLook(folder: KnownFolder, opened: OpenFolder | undefined, name: string): void;
  /** Stop reporting the folder. No effect when its watch belongs to another folder by now. */
  unwatch(folder: KnownFolder): void;
  /** Stop reporting. */
  close(): void;
}
