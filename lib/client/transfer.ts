import type { Digest64 } from "../block.ts";
import type { CommError } from "../errors.ts";
import type { Outcome } from "../protocol/methods.ts";
import type { Clock } from "../session/clock.ts";
import type { ExistsPolicy, Storage } from "../storage/storage.ts";

/** A file or folder to move, with what is known of it. */
export interface TransferItem {
  /** Where it is at the source, and where it shall be at the target. */
  readonly from: string;
  readonly to: string;
  readonly kind: "file" | "folder";
  readonly size: number;
  readonly modifiedAt: number;
  /** Of a folder, as in the facts of a file. */
  readonly mode?: number | undefined;
  /** Found in a folder or by a pattern, and not named by anybody: nobody misses it when it has gone. */
  readonly isFound?: boolean;
}

/** What a transfer tells while it goes on. */
export interface TransferEvents<Item extends TransferItem = TransferItem> {
  /** The bytes of `item` begin to move: `size` of them by now, of which `present` are there from an earlier time. */
  onStart?(item: Item, present: number, size: number): void;
  /** So many more of its bytes have arrived. */
  onProgress?(item: Item, bytes: number): void;
  /** What had arrived is of no use: the source has changed, or another state of it was here. */
  onRestart?(item: Item): void;
  /** It is at `path` now, durably; when it is "stored", with `size` bytes that were verified, whatever `item` says. */
  onDone(item: Item, outcome: Outcome, path: string, size: number): void;
  /** This one can't be had; the others go on. */
  onFailed(item: Item, error: CommError): void;
  /** It was found, and has gone since; absent: that is a failure, too. */
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
  readonly signal?: AbortSignal;
}

/** How often a file that changes while it moves is begun again before it is given up. */
export const MAX_RESTARTS = 2;
/** The same for a file that has changed while the link was lost. */
export const MAX_LOST_RESTARTS = 50;
/** Requests under way, and bytes that they are about: enough to keep a long, fat link busy. */
export const MAX_OUTSTANDING = 2_048;
export const MAX_OUTSTANDING_BYTES = 16 * 1024 * 1024;
/** How often a file is asked for again, or offered again, that the server has too much open for. */
export const MAX_OVERLOADS = 10;
const FIRST_OVERLOAD_MS = 250;
const MAX_OVERLOAD_MS = 10_000;
/** How long to wait with a file for which a server had too much open `times` before. */
export function overloadDelayMs(times: number): number {
  return Math.min(MAX_OVERLOAD_MS, FIRST_OVERLOAD_MS * 2 ** times);
}

/** `options`, with files that have gone since they were found told apart from failures, where that is asked for. */
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
