import type { BlockTag, Digest64 } from "../block.ts";
import type { CommError } from "../errors.ts";
import type { Outcome } from "../protocol/methods.ts";
import type { Clock } from "../session/clock.ts";
import type { ExistsPolicy, Storage } from "../storage/storage.ts";

/** A file or folder to move, with its known facts. */
export interface TransferItem {
  /** Its path at the source, and its path at the target. */
  readonly from: string;
  readonly to: string;
  readonly kind: "file" | "folder";
  readonly size: number;
  readonly modifiedAt: number;
  /** The mode of a folder, as in the facts of a file. */
  readonly mode?: number | undefined;
  /** The path at the target of an older state of the file; absent: what is at `to`. */
  readonly older?: string | undefined;
  /** True when it was found in a folder or by a pattern: its disappearance is not a failure. */
  readonly isFound?: boolean;
}

/** Reports of a running transfer. */
export interface TransferEvents<Item extends TransferItem = TransferItem> {
  /**
   * The bytes of `item` begin to move: it has `size` bytes now, and `present` of them are there from an earlier run.
   */
  onStart?(item: Item, present: number, size: number): void;
  /** `bytes` more have arrived, of which `reused` were in the older state at the target, and did not cross. */
  onProgress?(item: Item, bytes: number, reused: number): void;
  /** What had arrived can't be used: the source has changed, or another state of it was here. */
  onRestart?(item: Item): void;
  /**
   * The item is durably at `path`. When it is "stored", `size` of its bytes were verified; `item` may have an older
   * size.
   */
  onDone(item: Item, outcome: Outcome, path: string, size: number): void;
  /** This item has failed; the others continue. */
  onFailed(item: Item, error: CommError): void;
  /** The item was found and has disappeared since; absent: that is a failure as well. */
  onGone?(item: Item, error: CommError): void;
}

/** A file or folder of this machine to send. */
export interface UploadItem extends TransferItem {
  /** The tree that `from` is in. */
  readonly local: Pick<Storage, "open" | "load">;
}

export interface TransferOptions<Item extends TransferItem = TransferItem> extends TransferEvents<Item> {
  readonly exists: ExistsPolicy;
  readonly clock: Clock;
  readonly digest64: Digest64;
  /** Absent: a file that has changed crosses whole. */
  readonly blockTag?: BlockTag | undefined;
  readonly signal?: AbortSignal;
}

/** How often a file that changes while it moves is restarted before it fails. */
export const MAX_RESTARTS = 2;
/** How often a file that changed while the link was lost is restarted. */
export const MAX_LOST_RESTARTS = 50;
/** The most requests under way, and the most bytes in them: enough to keep a long, fat link busy. */
export const MAX_OUTSTANDING = 2_048;
export const MAX_OUTSTANDING_BYTES = 16 * 1024 * 1024;
/** How often a file is requested or offered again because the server has too many files open. */
export const MAX_OVERLOADS = 10;
const FIRST_OVERLOAD_MS = 250;
const MAX_OVERLOAD_MS = 10_000;
/** How long to wait with a file that the server has put off `times` times, in milliseconds. */
export function overloadDelayMs(times: number): number {
  return Math.min(MAX_OVERLOAD_MS, FIRST_OVERLOAD_MS * 2 ** times);
}

/**
 * `options` that report files that have disappeared since they were found to onGone, if it is set, instead of as
 * failures.
 */
export function tellGone<Item extends TransferItem, Options extends TransferOptions<Item>>(
  options: Options,
  isGone: (error: CommError) => boolean,
): Options {
  const { onFailed, onGone } = options;
  if (onGone === undefined) return options;
  return {
    ...options,
    onFailed: (item: Item, error: CommError) =>
      item.isFound === true && isGone(error) ? onGone(item, error) : onFailed(item, error),
  };
}
