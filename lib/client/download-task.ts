import type { Range } from "../block.ts";
import type { CommError } from "../errors.ts";
import type { Basis } from "../transfer/basis.ts";
import type { FileReceiver } from "../transfer/file-receiver.ts";
import type { SmallFile } from "../transfer/small-file.ts";
import { MAX_LOST_RESTARTS, MAX_RESTARTS, type TransferItem } from "./transfer.ts";

/** The transfer of one file, over as many links as it takes. */
export interface DownloadTask {
  readonly item: TransferItem;
  /** The target path; it differs from the item's when both files are kept. */
  readonly path: string;
  /** The state of the source that the local bytes belong to. */
  etag: string | undefined;
  /** The parts to request. */
  ranges: readonly Range[];
  receiver: FileReceiver | undefined;
  /** A small file has this instead of a receiver. */
  small: SmallFile | undefined;
  /** The older state that is offered, while it is open. */
  basis: Basis | undefined;
  /** False when the blocks that are still missing must cross whole. */
  mayReuse: boolean;
  /** True when `etag` is from an earlier run, or from before a lost link. */
  isOld: boolean;
  /** How often the source has changed: while it moved, and before it was requested again. */
  restarts: number;
  lostRestarts: number;
  /** How often the server put it off because it had too many files open. */
  overloads: number;
  /** Answers still expected. */
  expected: number;
  /** Why it failed; reported after the last of its answers. */
  failure: CommError | undefined;
  /** True when it was reported as done or failed. */
  isOver: boolean;
}

export function newTask(
  item: TransferItem,
  path: string,
  resume?: { etag: string; missing: readonly Range[] },
): DownloadTask {
  return {
    item,
    path,
    etag: resume?.etag,
    ranges: resume?.missing ?? [[0, item.size]],
    receiver: undefined,
    small: undefined,
    basis: undefined,
    mayReuse: true,
    isOld: resume !== undefined,
    restarts: 0,
    lostRestarts: 0,
    overloads: 0,
    expected: 0,
    failure: undefined,
    isOver: false,
  };
}

/** Whether a task whose source has changed may start again: the source may change for ever. */
export function mayRestart({ isOld, restarts, lostRestarts }: DownloadTask): boolean {
  return isOld ? lostRestarts < MAX_LOST_RESTARTS : restarts < MAX_RESTARTS;
}

/** Start the task from the beginning, since its source has changed. */
export function restart(task: DownloadTask): void {
  if (task.isOld) task.lostRestarts++;
  else task.restarts++;
  task.isOld = false;
  task.failure = undefined;
  task.receiver = undefined;
  task.small = undefined;
  task.mayReuse = true;
  task.etag = undefined;
  task.ranges = [[0, task.item.size]];
}
