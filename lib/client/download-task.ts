import type { Range } from "../block.ts";
import type { CommError } from "../errors.ts";
import type { FileReceiver } from "../transfer/file-receiver.ts";
import type { SmallFile } from "../transfer/small-file.ts";
import { MAX_LOST_RESTARTS, MAX_RESTARTS, type TransferItem } from "./transfer.ts";

/** One file on its way, over as many links as it takes. */
export interface DownloadTask {
  readonly item: TransferItem;
  /** Where it goes: another path than the item's when both are kept. */
  readonly path: string;
  /** The state of the source that the bytes here are of. */
  etag: string | undefined;
  /** What to ask for. */
  ranges: readonly Range[];
  receiver: FileReceiver | undefined;
  /** Instead of a receiver, for a small file. */
  small: SmallFile | undefined;
  /** That state is one from before: of an earlier run, or of a link that was lost. */
  isOld: boolean;
  /** How often the source has changed while it moved, and before it was asked for again. */
  restarts: number;
  lostRestarts: number;
  /** How often the server had too much open for it. */
  overloads: number;
  /** Answers that are still to come. */
  expected: number;
  /** Why it can't be had; acted on with the last of its answers. */
  failure: CommError | undefined;
  /** It was reported as done, or as failed. */
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
    isOld: resume !== undefined,
    restarts: 0,
    lostRestarts: 0,
    overloads: 0,
    expected: 0,
    failure: undefined,
    isOver: false,
  };
}

/** Whether a task whose source has changed is begun again: it may change for ever. */
export function mayRestart({ isOld, restarts, lostRestarts }: DownloadTask): boolean {
  return isOld ? lostRestarts < MAX_LOST_RESTARTS : restarts < MAX_RESTARTS;
}

/** Nothing of it is here: its source has changed. */
export function restart(task: DownloadTask): void {
  if (task.isOld) task.lostRestarts++;
  else task.restarts++;
  task.isOld = false;
  task.failure = undefined;
  task.receiver = undefined;
  task.small = undefined;
  task.etag = undefined;
  task.ranges = [[0, task.item.size]];
}
