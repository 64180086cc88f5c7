import type { FileSink } from "../../lib/storage/storage.ts";

/** A sink that keeps what it was given, and fails or waits as a test wants. */
export class FakeSink implements FileSink {
  readonly #pieces: Buffer[] = [];
  /** The times of all commits. */
  readonly commits: number[] = [];
  aborts = 0;
  /** Called with the length so far before each write; throws to fail it, or returns what to wait for. */
  onWrite: ((length: number) => Promise<void> | undefined) | undefined;
  onCommit: (() => void) | undefined;

  get bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.onWrite?.(this.bytes.length);
    // A copy: the caller may use its buffer again.
    this.#pieces.push(Buffer.from(bytes));
  }

  async commit(modifiedAt: number): Promise<void> {
    this.onCommit?.();
    this.commits.push(modifiedAt);
  }

  async abort(): Promise<void> {
    this.aborts++;
  }
}
