import type { Range } from "../block.ts";
import type { FileFacts, StorageEntry } from "./facts.ts";
import type { LoadedFile, OpenFile, PartFile } from "./handles.ts";

export * from "./check-size.ts";
export * from "./facts.ts";
export type * from "./handles.ts";

/**
 * The port to a tree of files: the server's repository, or the folder that a client fetches into or sends from. Paths
 * are repository paths (lib/path.ts), checked by the caller; "" is the root. Every implementation passes
 * tests/contract/storage.ts.
 */
export interface Storage {
  /** Where it is, for people. */
  readonly location: string;

  readonly capabilities: StorageCapabilities;

  /** Free space in bytes; Infinity if there is no limit, or none is known. Never throws. */
  freeBytes(): number;

  /**
   * The entry at `path`; links that stay inside are followed.
   *
   * @throws StorageError NOT_FOUND, UNREADABLE, NOT_ALLOWED when a link leads out
   */
  stat(path: string): Promise<StorageEntry>;

  /**
   * Everything below the folder `path`, depth first, in batches. A folder's entries are sorted by name, but those of a
   * very large folder come in the order of its disk, so that memory stays bounded. Links to folders are listed, not
   * entered. `enter` says whether to look into a folder. `skipped` counts, and `onLeftOut` reports: folders that can't
   * be read, names that can't be repository paths, and folders that were removed after they were listed. Unfinished and
   * private files are left out without a report.
   *
   * @throws StorageError as stat(), and NOT_FOUND when `path` is not a folder
   */
  list(path: string, options: ListOptions): AsyncIterable<StorageEntry[]>;

  /**
   * Open the file at `path` for reading. The checked file is the one that is read: nobody can put a link in its place
   * in between. Opens only regular files.
   *
   * @throws StorageError as stat(), and NOT_A_FILE
   */
  open(path: string): Promise<OpenFile>;

  /**
   * A whole small file, read in one go, in one state. undefined when it is not a plain file of at most `limit` bytes,
   * or changed meanwhile: open() reports why.
   *
   * @throws StorageError as open()
   */
  load(path: string, limit: number): LoadedFile | undefined | Promise<LoadedFile | undefined>;

  /**
   * Whether a file with these facts may be stored at `path`, and which part of it is there already. Changes nothing.
   * Two times are the same when this storage would round the one of `facts` to the other.
   *
   * With `isAnothers`, the file at `path` was stored under another path (see hasOwnName()): it never counts as the same
   * file, and is never replaced.
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
   * False when the entry at `path`, or a folder above it, has another name on the disk, which takes both names for the
   * same. True if nothing is there.
   *
   * @throws StorageError as stat()
   */
  hasOwnName(path: string): Promise<boolean>;

  /**
   * Begin a file, or resume its part from the same source (the same facts). Creates the folders above it.
   *
   * @throws StorageError BUSY while another transfer has it; DISK_FULL when there is no room for the rest of it;
   * TOO_LARGE; DISK_DENIED, DISK_FAILED, NOT_ALLOWED
   */
  receive(path: string, facts: FileFacts, exists: ExistsPolicy): Promise<PartFile>;

  /**
   * Store a whole file of at most one block (isSmall()) at once: it is durable before it is visible. `bytes` belong to
   * the caller again when this returns, before the file is done: an implementation that needs them longer copies them.
   *
   * @returns its path, which differs from `path` only with "rename"
   * @throws StorageError EXISTS; as receive(), but BUSY
   */
  store(path: string, facts: FileFacts, exists: ExistsPolicy, bytes: Uint8Array): string | Promise<string>;

  /**
   * Create a folder, and those above it. It gets the permissions of its source (`mode` as in FileFacts), and those that
   * its owner needs to fill it: finishFolder() removes these. An existing folder stays as it is.
   *
   * @returns false when it existed
   * @throws StorageError as receive(), EXISTS
   */
  makeFolder(path: string, mode?: number): Promise<boolean>;

  /**
   * A folder from makeFolder() is complete: remove the permissions that its source does not have.
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
   * Give a file or a folder another path. Creates the folders above it.
   *
   * @throws StorageError NOT_FOUND, EXISTS unless `overwrite` and both are files; as receive()
   */
  rename(from: string, to: string, options: { overwrite: boolean }): Promise<void>;

  /** Files of running or interrupted transfers. Their names are reserved: no other method accepts them. */
  unfinished(): AsyncIterable<Unfinished>;

  /** Remove a file that unfinished() has listed, unless a transfer uses it. @returns whether it was removed */
  removeUnfinished(path: string): Promise<boolean>;

  /**
   * Report every change from now on, whoever makes it, soon after it happens and some hundred changes at a time.
   * Returns the function that ends it.
   *
   * @throws StorageError UNREADABLE when the root is not there, INTERNAL when it can't be read, and without
   * `capabilities.watch`
   */
  watch(listener: (changes: readonly StorageChange[]) => void): Promise<() => void>;
}

/** What a storage can do; callers do without what is false. */
export interface StorageCapabilities {
  /** watch() reports changes. */
  readonly watch: boolean;
  /** rename() of a file or folder is one step: nobody ever sees both paths, or neither. */
  readonly atomicRename: boolean;
  /** A folder exists by itself: one with nothing in it is listed, and stays when its last file goes. */
  readonly emptyFolders: boolean;
}

/** An unfinished file. */
export interface Unfinished {
  readonly path: string;
  readonly size: number;
  /** When it was last written, in milliseconds since 1970. */
  readonly modifiedAt: number;
}

/**
 * `added` and `removed` of a folder stand for everything below it: a caller lists an added folder to get its contents;
 * later changes in it are reported. `missed`: at least this many changes are not reported; a caller lists the tree to
 * find them. `message` tells people why; with a count of 0 it says that changes are reported late from now on.
 */
export type StorageChange =
  | { readonly change: "added" | "changed"; readonly path: string; readonly entry: StorageEntry }
  | { readonly change: "removed"; readonly path: string; readonly wasFolder: boolean }
  | { readonly change: "missed"; readonly count: number; readonly message?: string };

/** What to do when the path is taken; "rename" finds another name. */
export type ExistsPolicy = "fail" | "overwrite" | "skip" | "rename";

export interface RemoveOptions {
  /** Also remove a folder that is not empty, with everything below it. */
  readonly recursive: boolean;
  /** Aborts when nobody wants the removal any more: what is still there then stays. */
  readonly signal?: AbortSignal | undefined;
}

export interface ListOptions {
  enter(folder: string): boolean;
  /** Counts the entries that are left out. */
  readonly skipped?: { count: number };
  onLeftOut?(left: LeftOut): void;
}

/** Something that a list leaves out. */
export interface LeftOut {
  /** Its path, even if it is not a valid repository path. Bytes that are not UTF-8 become U+FFFD. */
  readonly name: string;
  /** It can't be read; its name can't be a repository path, or is too long; or it was removed after it was listed. */
  readonly code: "UNREADABLE" | "BAD_PATH" | "NOT_FOUND";
}

/** What place() found. */
export type Placement =
  /** The file can be stored at this path; `resume`: the part of it that is there, and its source. */
  | { readonly outcome: "vacant"; readonly path: string; readonly resume?: { etag: string; missing: readonly Range[] } }
  /** A file of this size and time is there already. */
  | { readonly outcome: "unchanged" | "skipped"; readonly path: string };
