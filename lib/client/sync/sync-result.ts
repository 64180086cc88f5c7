import type { CommError } from "../../errors.ts";
import type { Done, TransferResult } from "../transfer-result.ts";
import type { SyncChange } from "./sync-item.ts";

/** The outcome of a mirror. Folders count only among what was removed. */
export interface SyncResult extends TransferResult {
  readonly new: number;
  readonly updated: number;
  /** Files, folders and others. */
  readonly removed: number;
}

/** Counts what a mirror does. */
export class SyncTally {
  readonly #counts = { new: 0, updated: 0, removed: 0, failed: 0, leftOut: 0, bytes: 0, reused: 0, resumed: 0 };
  /** Files that were the same, and files that stay although they differ. */
  unchanged = 0;
  skipped = 0;
  #firstFailure: CommError | undefined;

  get result(): SyncResult {
    const { new: created, updated } = this.#counts;
    return {
      ...this.#counts,
      stored: created + updated,
      unchanged: this.unchanged,
      skipped: this.skipped,
      firstFailure: this.#firstFailure,
    };
  }

  addMoved(change: SyncChange, { size, reused = 0, resumed = 0 }: Pick<Done, "size" | "reused" | "resumed">): void {
    this.#counts[change]++;
    this.#counts.bytes += size;
    this.#counts.reused += reused;
    this.#counts.resumed += resumed;
  }

  addRemoved(): void {
    this.#counts.removed++;
  }

  addFailure(error: CommError): void {
    this.#counts.failed++;
    this.#firstFailure ??= error;
  }

  /** Something that had to be done was not, for this reason. */
  addRefusal(error: CommError): void {
    this.#firstFailure ??= error;
  }

  addLeftOut(count: number): void {
    this.#counts.leftOut += count;
  }
}
