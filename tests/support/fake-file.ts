import type { Range } from "../../lib/block.ts";
import type { OpenFile, StorageEntry } from "../../lib/storage/storage.ts";
import { storageFault } from "../../lib/storage-faults.ts";

/** An open file that a test changes while it is read. */
export class FakeFile implements OpenFile {
  readonly entry: StorageEntry;
  content: Uint8Array;
  etag: string;
  /** The most bytes that one read() returns. */
  maxRead = Number.POSITIVE_INFINITY;
  /** Called before each read; may change the file, throw, or return a promise to wait for. */
  onRead: ((position: number) => Promise<void> | undefined) | undefined;
  bytesRead = 0;
  /** The result of holes(). */
  zeros: readonly Range[] = [];
  closed = false;

  constructor(content: Uint8Array, { modifiedAt = 1_700_000_000_123, etag = "etag-1", path = "docs/a" } = {}) {
    this.content = content;
    this.etag = etag;
    this.entry = { path, kind: "file", size: content.length, modifiedAt, executable: false, etag };
  }

  /** Cut the content short, as truncate(2) does within one tick of the clock: the etag stays. */
  cutAt(length: number): void {
    this.content = this.content.subarray(0, length);
  }

  /** Replace the content, with a new etag. */
  replace(content: Uint8Array): void {
    this.content = content;
    this.etag = "etag-2";
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    if (this.closed) throw new Error("A closed file is read.");
    await this.onRead?.(position);
    const piece = this.content.subarray(position, position + Math.min(buffer.length, this.maxRead));
    buffer.set(piece);
    this.bytesRead += piece.length;
    await this.check();
    return piece.length;
  }

  source(): undefined {
    return undefined;
  }

  holes(): readonly Range[] {
    return this.zeros;
  }

  hasGrown = false;

  async check(): Promise<void> {
    if (this.closed) throw new Error("A closed file is looked at.");
    if (this.etag === this.entry.etag && !this.hasGrown) return;
    if (this.content.length <= this.entry.size) throw storageFault.changed(this.entry.path);
    this.hasGrown = true;
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}
