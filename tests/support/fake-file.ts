import type { OpenFile, StorageEntry } from "../../lib/storage/storage.ts";

/** An open file that a test changes while it is read. */
export class FakeFile implements OpenFile {
  readonly entry: StorageEntry;
  content: Uint8Array;
  etag = "etag-1";
  /** Most bytes that one read() gives. */
  maxRead = Number.POSITIVE_INFINITY;
  /** Called before each read; may change the file or throw. */
  onRead: ((position: number) => void) | undefined;
  bytesRead = 0;
  closed = false;

  constructor(content: Uint8Array, modifiedAt = 1_700_000_000_123) {
    this.content = content;
    this.entry = { path: "docs/a", kind: "file", size: content.length, modifiedAt, etag: this.etag };
  }

  /** Cut the content short, as truncate(2) does within one tick of the clock: the etag stays. */
  cutAt(length: number): void {
    this.content = this.content.subarray(0, length);
  }

  /** Another content, with another etag. */
  replace(content: Uint8Array): void {
    this.content = content;
    this.etag = "etag-2";
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    this.onRead?.(position);
    const piece = this.content.subarray(position, position + Math.min(buffer.length, this.maxRead));
    buffer.set(piece);
    this.bytesRead += piece.length;
    return piece.length;
  }

  async currentEtag(): Promise<string> {
    return this.etag;
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}
