import type { Range } from "../block.ts";
import { unionOf } from "../holes.ts";
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
  #mayGrow = true;
  /** A sum of the noted digests that depends on their order. */
  #sum = 0n;
  /** What was read, in that order. */
  readonly #read: [from: number, to: number][] = [];

  constructor(file: OpenFile) {
    this.file = file;
  }

  /**
   * After what was read, these parts come, and nothing more. When only a part of the file was sent in the end, the rest
   * of the file at that moment is not known: it may not grow.
   */
  finishWith(ranges: readonly Range[], holes: readonly Range[]): void {
    this.#mayGrow = unionOf([...this.#read, ...ranges, ...holes]) === this.file.entry.size;
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

  /** Note the digest of the `length` bytes at `offset` that were read. */
  note(offset: number, length: number, digest: bigint): void {
    this.#sum = BigInt.asUintN(64, this.#sum * FACTOR + digest + 1n);
    const last = this.#read.at(-1);
    if (last?.[1] === offset) last[1] += length;
    else this.#read.push([offset, offset + length]);
  }

  /** What was read, in order. */
  get read(): readonly Range[] {
    return this.#read;
  }

  equals(other: GrowingFile): boolean {
    return this.#sum === other.#sum;
  }
}
