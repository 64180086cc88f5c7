import type { CommError } from "../errors.ts";
import type { Outcome } from "../protocol/methods.ts";

/** The outcome of a file or folder. */
export interface Done {
  readonly outcome: Outcome;
  /** Where it is now; the path differs from the item's when both files are kept. */
  readonly path: string;
  /** For "stored": the verified bytes. */
  readonly size: number;
  /** Present when some of them were in an older state at the target, and did not cross. */
  readonly reused?: number;
  /** Present when some of them were there from an earlier run. */
  readonly resumed?: number;
  /** Present when the digests of both ends were compared. */
  readonly sha256?: string;
}

/** The outcome of a transfer. Only files are counted, not folders. */
export interface TransferResult {
  readonly stored: number;
  /** Files that were the same already. */
  readonly unchanged: number;
  readonly skipped: number;
  /** Files and sources that failed. */
  readonly failed: number;
  readonly leftOut: number;
  /** Verified bytes of the stored files. */
  readonly bytes: number;
  /** Those of them that were in older states of the files at the target, and did not cross. */
  readonly reused: number;
  /** Those of them that were there from earlier runs. */
  readonly resumed: number;
  readonly firstFailure: CommError | undefined;
}

/** Counts the outcomes of a transfer. */
export class TransferTally {
  readonly #counts = { stored: 0, unchanged: 0, skipped: 0, failed: 0, leftOut: 0, bytes: 0, reused: 0, resumed: 0 };
  #firstFailure: CommError | undefined;

  get result(): TransferResult {
    return { ...this.#counts, firstFailure: this.#firstFailure };
  }

  addDone({ outcome, size, reused = 0, resumed = 0 }: Omit<Done, "path">): void {
    this.#counts[outcome]++;
    if (outcome !== "stored") return;
    this.#counts.bytes += size;
    this.#counts.reused += reused;
    this.#counts.resumed += resumed;
  }

  addFailure(error: CommError): void {
    this.#counts.failed++;
    this.#firstFailure ??= error;
  }

  addLeftOut(count: number): void {
    this.#counts.leftOut += count;
  }
}

/** The result of two transfers, one after the other. */
export function addResults(first: TransferResult, second: TransferResult): TransferResult {
  return {
    stored: first.stored + second.stored,
    unchanged: first.unchanged + second.unchanged,
    skipped: first.skipped + second.skipped,
    failed: first.failed + second.failed,
    leftOut: first.leftOut + second.leftOut,
    bytes: first.bytes + second.bytes,
    reused: first.reused + second.reused,
    resumed: first.resumed + second.resumed,
    firstFailure: first.firstFailure ?? second.firstFailure,
  };
}
