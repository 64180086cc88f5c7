import { RecordBatch } from "../protocol/record-batch.ts";
import type { Stream } from "../session/stream.ts";

/** Records are gathered up to this many characters before they go out. */
const FLUSH_LENGTH = 32 * 1024;

/** Writes records into the body of a stream, many in one frame. Source: PROTOCOL.md, "Bodies of records". */
export class RecordWriter {
  readonly #stream: Stream;
  readonly #batch = new RecordBatch();
  #first = true;
  count = 0;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  add(record: unknown): void {
    this.#batch.add(record);
    this.count++;
  }

  /** The first records leave at once, so that the reader sees something; later ones leave when they fill a frame. */
  async flushIfFull(): Promise<void> {
    if (this.#batch.length >= FLUSH_LENGTH || this.#first) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#batch.length === 0) return;
    this.#first = false;
    await this.#stream.write(this.#batch.take());
  }
}
