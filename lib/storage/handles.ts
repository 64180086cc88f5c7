import type { Range } from "../block.ts";
import type { FileFacts, StorageEntry } from "./facts.ts";

/** A file that is being read. */
export interface OpenFile {
  readonly entry: StorageEntry;
  /**
   * Read up to `buffer.length` bytes from `position` on into the caller's buffer; 0 at the end. The bytes are those of
   * the state that `entry` describes, or of a state that only has more bytes after these: then `hasGrown` is true.
   *
   * @throws StorageError CHANGED when the file is in any other state; as stat()
   */
  read(buffer: Uint8Array, position: number): Promise<number>;
  /** Whether read() or check() has found the file longer than `entry` says. */
  readonly hasGrown: boolean;
  /** Makes read()'s promise for bytes that were sent with source(). @throws StorageError CHANGED */
  check(): Promise<void>;
  /** Bytes that the system itself can send; undefined unless it is a file of this machine. */
  source(offset: number, length: number): FileSource | undefined;
  /** Parts that the disk stores nothing for, in whole blocks and in order, MAX_HOLES at most: all zeros. */
  holes(): readonly Range[];
  close(): Promise<void>;
}

/** Bytes of an open file of this machine. */
export interface FileSource {
  readonly fd: number;
  readonly offset: number;
  readonly length: number;
  /** Keep the descriptor open, also after close(). Returns the function that releases it. */
  retain(): () => void;
}

export interface LoadedFile {
  readonly entry: StorageEntry;
  /** All bytes of the file; they belong to the caller. */
  readonly bytes: Uint8Array;
}

/** A file that is being received. Nothing is visible under its name before commit(). One user at a time. */
export interface PartFile {
  /** The path that it will have. */
  readonly path: string;
  readonly facts: FileFacts;
  /** The ranges that have not arrived yet and are not holes, in order, in whole blocks. */
  readonly missing: readonly Range[];
  /** Bytes that have arrived, and those of holes. */
  readonly present: number;

  /**
   * Write a verified block; `bytes` may be reused when this resolves.
   *
   * @returns false when the block was there already, or is a hole
   * @throws StorageError DISK_FULL, DISK_DENIED, DISK_FAILED
   */
  write(offset: number, bytes: Uint8Array, digest: bigint): Promise<boolean>;

  /**
   * Make the complete file durable and visible, with its times and permissions. The part can't be used afterwards, even
   * on failure.
   *
   * @returns its path, which differs when the policy is "rename" and the path was taken meanwhile
   * @throws StorageError as write(), and EXISTS
   */
  commit(): Promise<string>;

  /** Keep the part, so that receive() can resume it later. */
  keep(): Promise<void>;

  /** Remove all of it. */
  discard(): Promise<void>;
}
