import type { OpenFile } from "../storage/storage.ts";
import { storageFault } from "../storage-faults.ts";

/** Odd, so that no block's share of the sum is lost. */
const FACTOR = 0x9e37_79b9_7f4a_7c15n;

/**
 * A file that is read once from its beginning to its end, perhaps while somebody appends to it. If a second reading
 * equals() the first, all its bytes were there at one moment: after the first reading and before the second. Source:
 * PROTOCOL.md, "get".
 */
export class GrowingFile {
  readonly file: OpenFile;
  readonly #mayGrow: boolean;
  /** A sum of the noted digests that depends on their order. */
  #sum = 0n;

  constructor(file: OpenFile, mayGrow: boolean) {
    this.file = file;
    this.#mayGrow = mayGrow;
  }

  /** As file.check(). @throws StorageError CHANGED; as requireLength() */
  async check(): Promise<void> {
    await this.file.check();
    this.requireLength();
  }

  /** Call after each read. @throws StorageError CHANGED when the file has grown and may not */
  requireLength(): void {
    if (this.file.hasGrown && !this.#mayGrow) throw storageFault.changed(this.file.entry.path);
  }

  /** Note the digest of the bytes that were read. */
  note(digest: bigint): void {
    this.#sum = BigInt.asUintN(64, this.#sum * FACTOR + digest + 1n);
  }

  equals(other: GrowingFile): boolean {
    return this.#sum === other.#sum;
  }
}
