import type { Range } from "../block.ts";
import type { FileFacts, StorageEntry } from "./facts.ts";
import type { LoadedFile, OpenFile, PartFile } from "./handles.ts";

export * from "./check-size.ts";
export * from "./facts.ts";
export type * from "./handles.ts";

/**
 * What a tree of files must be able to do, for the server's repository as for the folder that a client fetches into
 * or sends from. Paths are repository paths (lib/path.ts), checked by the caller; "" is the root. Every
 * implementation passes tests/contract/storage.ts.
 */
export interface Storage {
  /** Where it is, for people. */
  readonly location: string;

  readonly capabilities: StorageCapabilities;

  /** Bytes that there is room for now; Infinity where nothing limits them or that is not known. Throws nothing. */
  freeBytes(): number;

  /**
   * What is at `path`; links that stay inside are followed.
   *
   * @throws StorageError NOT_FOUND, UNREADABLE, NOT_ALLOWED when a link leads out
   */
  stat(path: string): Promise<StorageEntry>;

  /**
   * All below the folder `path`, depth first, in batches. Within a folder the order is by name, but a very
   * large folder comes in the order of its disk, so that memory stays flat. Links to folders are listed, not entered.
   * `enter` says whether to look into a folder. `skipped` counts, and `onLeftOut` reports: folders that can't be read,
   * names that are no repository paths, and folders that were removed after they were listed. Unfinished files are left
   * out without a report, and so is what is private.
   *
   * @throws StorageError as stat(), and NOT_FOUND when `path` is not a folder
   */
  list(path: string, options: ListOptions): AsyncIterable<StorageEntry[]>;

  /**
   * Open the file at `path` for reading. The file that is checked is the file that is read: nobody can put a link in
   * its place in between. Opens only regular files.
   *
   * @throws StorageError as stat(), and NOT_A_FILE
   */
  open(path: string): Promise<OpenFile>;

  /**
   * The whole of a small file, read in one go, in one state. undefined when it is not a plain file of at most `limit`
   * bytes, or changed meanwhile: open() says more.
   *
   * @throws StorageError as open()
   */
  load(path: string, limit: number): LoadedFile | undefined | Promise<LoadedFile | undefined>;

  /**
   * Whether a file with these facts may come to `path`, and which part of it is there already. Changes nothing. Two
   * times are the same when this storage would round the one of `facts` to the other.
   *
   * With `isAnothers`, the file at `path` came under another path (see hasOwnName()): it is never taken for the same
   * file, and never replaced.
   *
   * @throws StorageError EXISTS when something else is there and the policy is "fail", or when it is no file; SAME_NAME
   * for what is another's, unless the policy is "skip" or "rename"; TOO_LARGE, NOT_ALLOWED, UNREADABLE
   */
  place(
    path: string,
    facts: Pick<FileFacts, "size" | "modifiedAt">,
    exists: ExistsPolicy,
    isAnothers?: boolean,
  ): Promise<Placement>;

  /**
   * False when what is at `path` has another name in its folder, or one of the folders above has: its disk takes both
   * names for the same. True where there is nothing.
   *
   * @throws StorageError as stat()
   */
  hasOwnName(path: string): Promise<boolean>;

  /**
   * Begin a file, or resume the part of it that came from the same source (the same facts). Makes the folders above it.
   *
   * @throws StorageError BUSY while another has it; DISK_FULL when there is no room for the rest of it; TOO_LARGE;
   * DISK_DENIED, DISK_FAILED, NOT_ALLOWED
   */
  receive(path: string, facts: FileFacts, exists: ExistsPolicy): Promise<PartFile>;

  /**
   * Make a whole file of at most one block (isSmall()) at once: it is durable before it is visible. `bytes` belong to
   * the caller again when this returns, which is before the file is done: an implementation that needs them longer
   * copies them.
   *
   * @returns its path: another than `path` only with "rename"
   * @throws StorageError EXISTS; as receive(), but BUSY
   */
  store(path: string, facts: FileFacts, exists: ExistsPolicy, bytes: Uint8Array): string | Promise<string>;

  /**
   * Make a folder, and those above it. It gets the rights of its source (`mode` as in FileFacts), and those that its
   * owner needs to fill it: finishFolder() takes these away. A folder that was there stays as it is.
   *
   * @returns false when it was there
   * @throws StorageError as receive(), EXISTS
   */
  makeFolder(path: string, mode?: number): Promise<boolean>;

  /**
   * A folder that makeFolder() has made is full: take away what its source does not allow.
   *
   * @throws StorageError as receive()
   */
  finishFolder(path: string, mode: number): Promise<void>;

  /**
   * Remove a file, a link or a folder.
   *
   * @throws StorageError NOT_FOUND, NOT_EMPTY unless `recursive`, NOT_ALLOWED for the root; as receive();
   * CommError INTERRUPTED
   */
  remove(path: string, options: RemoveOptions): Promise<void>;

  /**
   * Give a file or a folder another path. Makes the folders above it.
   *
   * @throws StorageError NOT_FOUND, EXISTS unless `overwrite` and both are files; as receive()
   */
  rename(from: string, to: string, options: { overwrite: boolean }): Promise<void>;

  /** Files of transfers that are under way, or did not end. Their names are special: no other method takes them. */
  unfinished(): AsyncIterable<Unfinished>;

  /** Remove a file that unfinished() has listed, unless a transfer uses it. @returns whether it was removed */
  removeUnfinished(path: string): Promise<boolean>;

  /**
   * Report every change from now on, whoever makes it, soon after it happened and some hundred changes at a time.
   * Returns the function that ends it.
   *
   * @throws StorageError UNREADABLE when the root is not there, INTERNAL when it can't be read, and without
   * `capabilities.watch`
   */
  watch(listener: (changes: readonly StorageChange[]) => void): Promise<() => void>;
}

/** What a storage can do; false: callers do without it. */
export interface StorageCapabilities {
  /** watch() reports changes. */
  readonly watch: boolean;
  /** rename() of a file or folder is one step: nobody ever sees both paths, or neither. */
  readonly atomicRename: boolean;
  /** A folder exists by itself: one with nothing in it is listed, and stays when its last file goes. */
  readonly emptyFolders: boolean;
}

/** A file of a transfer that did not end. */
export interface Unfinished {
  readonly path: string;
  readonly size: number;
  /** When it was last written, in milliseconds since 1970. */
  readonly modifiedAt: number;
}

/**
 * `added` and `removed` of a folder stand for all below it. A caller that lists an added folder gets what was in it,
 * and later changes are reported. `missed`: this many changes, or more, are not reported; a caller that lists the tree
 * gets them. `message` says why, for people; with a count of 0 it says that changes are reported late from now on.
 */
export type StorageChange =
  | { readonly change: "added" | "changed"; readonly path: string; readonly entry: StorageEntry }
  | { readonly change: "removed"; readonly path: string; readonly wasFolder: boolean }
  | { readonly change: "missed"; readonly count: number; readonly message?: string };

/** What to do when something is at the path already; "rename" finds another name. */
export type ExistsPolicy = "fail" | "overwrite" | "skip" | "rename";

export interface RemoveOptions {
  /** Also a folder that is not empty, with all below it. */
  readonly recursive: boolean;
  /** Aborted when nobody wants the removal any more: what is still there then stays. */
  readonly signal?: AbortSignal | undefined;
}

export interface ListOptions {
  enter(folder: string): boolean;
  /** Counts the entries that are left out. */
  readonly skipped?: { count: number };
  onLeftOut?(left: LeftOut): void;
}

/** What a list leaves out. */
export interface LeftOut {
  /** Its path, or what would be one if it were of the form of paths. Bytes that are no text are U+FFFD. */
  readonly name: string;
  /** It can't be read; its name is no repository path, or too long for one; it was removed after it was listed. */
  readonly code: "UNREADABLE" | "BAD_PATH" | "NOT_FOUND";
}

/** What place() found. */
export type Placement =
  /** The file can come, to this path; `resume`: the part of it that is there, and of which source. */
  | { readonly outcome: "vacant"; readonly path: string; readonly resume?: { etag: string; missing: readonly Range[] } }
  /** A file of this size and time is there already. */
  | { readonly outcome: "unchanged" | "skipped"; readonly path: string };
