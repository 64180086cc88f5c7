import { BLOCK_BYTES, type Range } from "../block.ts";

/** The facts of a file besides its bytes. */
export interface FileFacts {
  /** Bytes; 0 for anything but a file. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
  /** True when its owner may execute it. */
  readonly executable: boolean;
  /**
   * The permissions of owner, group and others (`rwxrwxrwx`, 0 to 0o777); absent where the source's system has none. A
   * new file gets no more than these.
   */
  readonly mode?: number | undefined;
  /** The etag of the source; changes when the content may have changed. */
  readonly etag: string;
  /**
   * Parts of a file of several blocks that are all zeros, in whole blocks: they are not sent. Absent: none are known.
   */
  readonly holes?: readonly Range[] | undefined;
}

/** Whether a file moves in one piece, and is not resumed. */
export function isSmall({ size }: Pick<FileFacts, "size">): boolean {
  return size <= BLOCK_BYTES;
}

/** True for a mode with which even the owner can't list, fill or enter the folder. */
export function isClosed(mode: number | undefined): mode is number {
  return mode !== undefined && (mode & 0o700) !== 0o700;
}

export interface StorageEntry extends FileFacts {
  readonly path: string;
  /** `link`: a symbolic link that dangles, leads out or is a folder; `other`: a device, socket or pipe. */
  readonly kind: "file" | "folder" | "link" | "other";
}
