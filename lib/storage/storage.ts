import type { Range } from "../block.ts";
import type { FileFacts, StorageEntry } from "./facts.ts";
import type { LoadedFile, OpenFile, PartFile } from "./handles.ts";

export * from "./facts.ts";
export type * from "./handles.ts";
export * from "./storage-errors.ts";

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
   * large folder comes as it is stored, so that memory stays flat. Folder links are told, not entered.
   * `enter` says whether to look into a folder. Folders that can't be read and names that are no repository
   * paths are counted in `skipped`, and told to `onLeftOut`; so are folders that have gone since they were told. Unfinished
   * files are left out, and what is private, of which nothing is told.
   *
   * @throws StorageError as stat(), and NOT_FOUND when `path` is not a folder
   */
  list(path: string, options: ListOptions): AsyncIterable<StorageEntry[]>;

  /**
   * Open the file at `path` for reading. The check and the use are of the same open file: nobody can swap
   * a link in between. Never opens anything but a regular file.
   *
   * @throws StorageError as stat(), and NOT_A_FILE
   */
  open(path: string): Promise<OpenFile>;

  /**
   * The whole of a small file, read in one go: nothing of it changed meanwhile. undefined when it is not a plain file of
   * at most `limit` bytes, or did change: open() tells more.
   *
   * @throws StorageError as open()
   */
  load(path: string, limit: number): LoadedFile | undefined | Promise<LoadedFile | undefined>;

  /**
   * Whether a file of these facts may come to `path`, and what is there of it already. Nothing is made or changed. Times
   * are the same when this storage makes of the one of `facts` what is there.
   *
   * With `isAnothers` what is at `path` came under another one (see hasOwnName()): it is neither the same nor replaced.
   *
   * @throws StorageError EXISTS when something else is there and the policy is "fail", or when it is no file; SAME_NAME for
   * what is another's, unless the policy is "skip" or "rename"; TOO_LARGE, NOT_ALLOWED, UNREADABLE
   */
  place(
    path: string,
    facts: Pick<FileFacts, "size" | "modifiedAt">,
    exists: ExistsPolicy,
    isAnothers?: boolean,
  ): Promise<Placement>;

  /**
   * False when there is something at `path` that has another name in its folder, or lies in a folder that has: a disk for
   * which both are the same. True where there is nothing.
   *
   * @throws StorageError as stat()
   */
  hasOwnName(path: string): Promise<boolean>;

  /**
   * Begin a file, or go on with what there is of it when it came from the same source (the same facts). Folders
   * above it are made.
   *
   * @throws StorageError BUSY while another has it; DISK_FULL when there is no room for the rest of it; TOO_LARGE;
   * DISK_DENIED, DISK_FAILED, NOT_ALLOWED
   */
  receive(path: string, facts: FileFacts, exists: ExistsPolicy): Promise<PartFile>;

  /**
   * Make a whole file of at most one block (isSmall()) at once: durable, and visible only then. `bytes` are the caller's
   * again when this has returned, which is before it is done: who needs them longer copies them.
   *
   * @returns its path: another than `path` only with "rename"
   * @throws StorageError EXISTS; as receive(), but BUSY
   */
  store(path: string, facts: FileFacts, exists: ExistsPolicy, bytes: Uint8Array): string | Promise<string>;

  /**
   * Make a folder, and those above it. It gets the rights of its source, `mode` as in FileFacts, but for those that its
   * owner needs to fill it: finishFolder() takes them away. One that was there is left as it is.
   *
   * @returns false when it was there
   * @throws StorageError as receive(), EXISTS
   */
  makeFolder(path: string, mode?: number): Promise<boolean>;

  /** All is in a folder that makeFolder() has made: it gets no more rights than its source has. @throws StorageError as receive() */
  finishFolder(path: string, mode: number): Promise<void>;

  /**
   * Remove a file, a link or a folder.
   *
   * @throws StorageError NOT_FOUND, NOT_EMPTY unless `recursive`, NOT_ALLOWED for the root; as receive();
   * CommError INTERRUPTED
   */
  remove(path: string, options: RemoveOptions): Promise<void>;

  /**
   * Give a file or a folder another path; folders above it are made.
   *
   * @throws StorageError NOT_FOUND, EXISTS unless `overwrite` and both are files; as receive()
   */
  rename(from: string, to: string, options: { overwrite: boolean }): Promise<void>;

  /** What is left of transfers that did not end, or are under way: their own names, which no other method takes. */
  unfinished(): AsyncIterable<Unfinished>;

  /** Remove what unfinished() has told, unless somebody works on it. @returns whether it was removed */
  removeUnfinished(path: string): Promise<boolean>;

  /**
   * Tell what changes from now on, whoever changes it, soon after it happened and some hundred changes at a time. Returns
   * the function that ends it.
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

/** What is left of a transfer. */
export interface Unfinished {
  readonly path: string;
  readonly size: number;
  /** When it was last written, in milliseconds since 1970. */
  readonly modifiedAt: number;
}

/**
 * `added` and `removed` stand for all below a folder as well: whoever lists it after it was told has all that was in it
 * then, and is told what comes after. `missed`: so many changes, or more, are not told; whoever lists the tree has them.
 * With a `message`, for people: why, or with a count of 0 that changes are told later than they happen from now on.
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
  /** Aborted when nobody wants it any more: what is still there then stays. */
  readonly signal?: AbortSignal | undefined;
}

export interface ListOptions {
  enter(folder: string): boolean;
  /** Raised by one for each entry that is left out. */
  readonly skipped?: { count: number };
  onLeftOut?(left: LeftOut): void;
}

/** What a list leaves out. */
export interface LeftOut {
  /** Its path, or what would be one if it were of the form of paths. Bytes that are no text are U+FFFD. */
  readonly name: string;
  /** It can't be looked at or into; its name is no repository path, or too long for one; it was listed and has gone since. */
  readonly code: "UNREADABLE" | "BAD_PATH" | "NOT_FOUND";
}

/** What place() found. */
export type Placement =
  /** The file can come, to this path; `resume` tells what is there of it, and of which source. */
  | { readonly outcome: "vacant"; readonly path: string; readonly resume?: { etag: string; missing: readonly Range[] } }
  /** A file of this size and time is there already. */
  | { readonly outcome: "unchanged" | "skipped"; readonly path: string };
