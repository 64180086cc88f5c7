import type { EntryFacts, Listing } from "./events.ts";

/** The most entries that a search reports. */
export const MAX_FOUND = 1_000;

/** The port to the files of one side, as a page browses them. Paths are the side's own; "" is where it begins. */
export interface FileSide {
  /**
   * What is directly in a folder, in batches, in no order.
   *
   * @throws CommError NOT_FOUND, NO_SUCH_FILE, NOT_A_FILE, UNREADABLE; INTERRUPTED by `signal`
   */
  list(path: string, signal: AbortSignal): AsyncGenerator<EntryFacts[], Listing>;

  /** Make a folder. @throws CommError EXISTS, NOT_ALLOWED, … */
  makeFolder(path: string): Promise<void>;

  /** @throws CommError EXISTS, NOT_FOUND, … */
  rename(from: string, to: string): Promise<void>;

  /** Remove a file, or a folder with everything in it. @throws CommError NOT_FOUND, … */
  remove(path: string): Promise<void>;

  /** The SHA-256 of a file, in hexadecimal digits. @throws CommError NOT_FOUND, NOT_A_FILE, … */
  digest(path: string, signal: AbortSignal): Promise<string>;

  /**
   * Call `onChange` soon after something in the folder has changed, until the returned function is called. A side that
   * can't tell never calls it.
   */
  follow(path: string, onChange: () => void): () => void;
}
