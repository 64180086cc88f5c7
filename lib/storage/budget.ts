import { StorageError } from "../errors.ts";

export interface BudgetLimits {
  /** Bytes that the repository may hold, unfinished files included; undefined: as much as there is room for. */
  readonly quotaBytes: number | undefined;
  /** Bytes that stay free on the disk. */
  readonly keepFreeBytes: number;
}

/** How many bytes may still be stored: what is promised to transfers under way counts as used. */
export class Budget {
  readonly #limits: BudgetLimits;
  readonly #freeBytes: () => number;
  #used = 0;
  #promised = 0;
  /** Bytes that have come in all, less those that went. */
  growth = 0;

  /** `freeBytes`: what the disk has room for now. */
  constructor(limits: BudgetLimits, freeBytes: () => number) {
    this.#limits = limits;
    this.#freeBytes = freeBytes;
  }

  get hasQuota(): boolean {
    return this.#limits.quotaBytes !== undefined;
  }

  /**
   * Promise `bytes` to a transfer, which must settle() them.
   *
   * @throws StorageError QUOTA_EXCEEDED, NO_SPACE
   */
  promise(bytes: number, what: string): void {
    this.check(bytes, what);
    this.#promised += bytes;
  }

  /** As promise(), for what is stored at once. */
  check(bytes: number, what: string): void {
    const { quotaBytes, keepFreeBytes } = this.#limits;
    if (quotaBytes !== undefined && this.#used + this.#promised + bytes > quotaBytes) {
      throw new StorageError(
        "QUOTA_EXCEEDED",
        `The repository may hold ${quotaBytes} bytes, and ${what} would be too much.`,
      );
    }
    if (keepFreeBytes > 0 && this.#freeBytes() - this.#promised - bytes < keepFreeBytes) {
      throw new StorageError(
        "NO_SPACE",
        `The server keeps ${keepFreeBytes} bytes of its disk free: no room for ${what}.`,
      );
    }
  }

  /** A promise has ended, and left so much more on the disk; negative: less. */
  settle(promised: number, growth: number): void {
    this.#promised -= promised;
    this.#used = Math.max(0, this.#used + growth);
    this.growth += growth;
  }

  /** What is there was counted. */
  correct(used: number): void {
    this.#used = used;
  }
}
