import { fileChanged, type OpenFile } from "../storage/storage.ts";

/** Odd, so that no block's share of the sum is lost. */
const FACTOR = 0x9e37_79b9_7f4a_7c15n;

/**
 * A file that is read once from its beginning to its end, perhaps while somebody writes after that end. A second reading
 * that equals() the first says that all of it was there at one moment: when the first had ended and the second had not
 * begun. Source: PROTOCOL.md, "get".
 */
export class GrowingFile {
  readonly file: OpenFile;
  readonly #mayGrow: boolean;
  /** Of the digests that were noted, in their order. */
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

  /** After each read. @throws StorageError CHANGED when it has grown and may not */
  requireLength(): void {
    if (this.file.hasGrown && !this.#mayGrow) throw fileChanged(this.file.entry.path);
  }

  /** What was read has this digest. */
  note(digest: bigint): void {
    this.#sum = BigInt.asUintN(64, this.#sum * FACTOR + digest + 1n);
  }

  equals(other: GrowingFile): boolean {
    return this.#sum === other.#sum;
  }
}
