import { BLOCK_BYTES, type Range } from "../block.ts";

/** What a file is besides its bytes. */
export interface FileFacts {
  /** Bytes; 0 for all but files. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
  /** True when its owner may run it. */
  readonly executable: boolean;
  /**
   * What the owner, the group and all others may do (`rwxrwxrwx`, 0 to 0o777); absent where the source's system has no
   * such thing. What is new gets no more than that.
   */
  readonly mode?: number | undefined;
  /** Of the source; changes when the content may have changed. */
  readonly etag: string;
  /**
   * Parts of a file of more than one block that are all zeros, in whole blocks: they are not sent. Absent: none is
   * known.
   */
  readonly holes?: readonly Range[] | undefined;
}

/** Whether a file moves in one piece, and is not resumed. */
export function isSmall({ size }: Pick<FileFacts, "size">): boolean {
  return size <= BLOCK_BYTES;
}

/** True for the mode of a folder that keeps its own owner from listing, filling or entering it. */
export function isClosed(mode: number | undefined): mode is number {
  return mode !== undefined && (mode & 0o700) !== 0o700;
}

export interface StorageEntry extends FileFacts {
  readonly path: string;
  /** `link`: a symbolic link that dangles, leads out or is a folder; `other`: a device, socket or pipe. */
  readonly kind: "file" | "folder" | "link" | "other";
}
