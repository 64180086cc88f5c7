/**
 * What a repository must be able to do. Paths are repository paths (lib/path.ts), checked by the caller;
 * "" is the root. Every implementation passes tests/contract/storage.ts.
 */
export interface Storage {
  /** Where it is, for people. */
  readonly location: string;

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
   * paths are counted in `skipped`.
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
}

export interface ListOptions {
  enter(folder: string): boolean;
  /** Raised by one for each entry that is left out. */
  readonly skipped: { count: number };
}

export interface StorageEntry {
  readonly path: string;
  /** `link`: a symbolic link that dangles, leads out or is a folder; `other`: a device, socket or pipe. */
  readonly kind: "file" | "folder" | "link" | "other";
  /** Bytes; 0 for all but files. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
  /** Changes when the content may have changed. */
  readonly etag: string;
}

export interface OpenFile {
  readonly entry: StorageEntry;
  /** Read up to `buffer.length` bytes from `position` on into the caller's buffer; 0 at the end. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  /** The etag as it is now. */
  currentEtag(): Promise<string>;
  close(): Promise<void>;
}

/** Where a received file goes. Nothing is visible under its name before commit(). */
export interface FileSink {
  /**
   * Append bytes; they may be reused by the caller when this resolves.
   *
   * @throws StorageError DISK_FULL, DISK_DENIED, DISK_FAILED
   */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Make the file durable and visible, whole.
   *
   * @throws StorageError as write(), and EXISTS
   */
  commit(modifiedAt: number): Promise<void>;
  /** Leave nothing behind. No effect after commit(). */
  abort(): Promise<void>;
}

/** An incremental SHA-256, such as `new Bun.CryptoHasher("sha256")`. */
export interface Sha256 {
  update(bytes: Uint8Array): unknown;
  digest(encoding: "hex"): string;
}
