import type { Range } from "../block.ts";
import type { FileFacts, StorageEntry } from "./facts.ts";

/** A file that is being read. */
export interface OpenFile {
  readonly entry: StorageEntry;
  /**
   * Read up to `buffer.length` bytes from `position` on into the caller's buffer; 0 at the end. They are bytes of the
   * state that `entry` describes, or of one that only has more bytes after those: then `hasGrown` is true.
   *
   * @throws StorageError CHANGED when the file is in any other state; as stat()
   */
  read(buffer: Uint8Array, position: number): Promise<number>;
  /** Whether read() or check() has found the file longer than `entry` says. */
  readonly hasGrown: boolean;
  /** What read() promises of its bytes, for those that go by source(). @throws StorageError CHANGED */
  check(): Promise<void>;
  /** Bytes of it that can be sent by the system itself; undefined where it is no file of this machine. */
  source(offset: number, length: number): FileSource | undefined;
  /** Parts of it that its disk keeps nothing of, in whole blocks and in order, MAX_HOLES at most: all zeros. */
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
  /** All of them; they belong to the caller. */
  readonly bytes: Uint8Array;
}

/** A file that is being received. Nothing is visible under its name before commit(). One user at a time. */
export interface PartFile {
  /** Where it will be. */
  readonly path: string;
  readonly facts: FileFacts;
  /** What has not come yet and is no hole, in order, in whole blocks. */
  readonly missing: readonly Range[];
  /** Bytes that have come, and those of holes. */
  readonly present: number;

  /**
   * Write a verified block; `bytes` may be reused when this resolves.
   *
   * @returns false when the block was here already, or is a hole
   * @throws StorageError DISK_FULL, DISK_DENIED, DISK_FAILED
   */
  write(offset: number, bytes: Uint8Array, digest: bigint): Promise<boolean>;

  /**
   * Make the file durable and visible, whole, with its times and rights. Ends the use, also on failure.
   *
   * @returns its path: another one when the policy is "rename" and the path was taken meanwhile
   * @throws StorageError as write(), and EXISTS
   */
  commit(): Promise<string>;

  /** Keep it for another time, so that receive() can resume it. */
  keep(): Promise<void>;

  /** Remove all of it. */
  discard(): Promise<void>;
}
