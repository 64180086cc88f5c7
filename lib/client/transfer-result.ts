import type { CommError } from "../errors.ts";
import type { Outcome } from "../protocol/methods.ts";

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
  readonly firstFailure: CommError | undefined;
}

/** Counts the outcomes of a transfer. */
export class TransferTally {
  readonly #counts = { stored: 0, unchanged: 0, skipped: 0, failed: 0, leftOut: 0, bytes: 0 };
  #firstFailure: CommError | undefined;

  get result(): TransferResult {
    return { ...this.#counts, firstFailure: this.#firstFailure };
  }

  addDone(outcome: Outcome, bytes: number): void {
    this.#counts[outcome]++;
    if (outcome === "stored") this.#counts.bytes += bytes;
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
    firstFailure: first.firstFailure ?? second.firstFailure,
  };
}
