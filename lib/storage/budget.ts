import { storageFault } from "../storage-faults.ts";

export interface BudgetLimits {
  /** Bytes that the repository may hold, unfinished files included; undefined: no limit. */
  readonly quotaBytes: number | undefined;
  /** Bytes that stay free on the disk. */
  readonly keepFreeBytes: number;
}

/** The bytes that may still be stored. Bytes promised to a transfer count as stored. */
export class Budget {
  readonly #limits: BudgetLimits;
  readonly #freeBytes: () => number;
  /** Bytes that are stored, as far as is known. */
  used = 0;
  #promised = 0;
  /** The part of it that takes room: a hole counts as bytes, but takes no room. */
  #promisedRoom = 0;
  /** All bytes that have arrived so far. */
  growth = 0;

  /** `freeBytes`: the free space on the disk now. */
  constructor(limits: BudgetLimits, freeBytes: () => number) {
    this.#limits = limits;
    this.#freeBytes = freeBytes;
  }

  get hasQuota(): boolean {
    return this.#limits.quotaBytes !== undefined;
  }

  /** Bytes that check() lets pass. */
  get freeBytes(): number {
    const { quotaBytes = Number.POSITIVE_INFINITY, keepFreeBytes } = this.#limits;
    const ofQuota = quotaBytes - this.used - this.#promised;
    return Math.max(0, Math.min(ofQuota, this.#freeBytes() - this.#promisedRoom - keepFreeBytes));
  }

  /**
   * Promise `bytes` to a transfer, which must keep() or release() all of them. `room`: how many of them take space on
   * the disk.
   *
   * @throws StorageError QUOTA_EXCEEDED, NO_SPACE
   */
  promise(bytes: number, path: string, room = bytes): void {
    this.check(bytes, path, room);
    this.#promised += bytes;
    this.#promisedRoom += room;
  }

  /** As promise(), for a file that is stored at once. */
  check(bytes: number, path: string, room = bytes): void {
    const { quotaBytes, keepFreeBytes } = this.#limits;
    if (quotaBytes !== undefined && this.used + this.#promised + bytes > quotaBytes) {
      const free = Math.max(0, quotaBytes - this.used - this.#promised);
      throw storageFault.aboveQuota(path, bytes, { free, quota: quotaBytes });
    }
    if (keepFreeBytes === 0) return;
    const free = this.#freeBytes() - this.#promisedRoom - keepFreeBytes;
    if (free < room) throw storageFault.aboveFree(path, room, { free: Math.max(0, free), kept: keepFreeBytes });
  }

  /** This many promised bytes are on the disk now. */
  keep(bytes: number, room = bytes): void {
    this.#promised -= bytes;
    this.#promisedRoom -= room;
    this.used += bytes;
    this.growth += bytes;
  }

  /** This many promised bytes will not come. */
  release(bytes: number, room = bytes): void {
    this.#promised -= bytes;
    this.#promisedRoom -= room;
  }
}
