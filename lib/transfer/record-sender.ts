import { RecordBatch } from "../protocol/record-batch.ts";
import type { Clock } from "../session/clock.ts";
import type { Stream } from "../session/stream.ts";

/** The most waiting records, in UTF-16 units: beyond it the producer should wait. */
const MAX_PENDING = 64 * 1024;

/**
 * Sends records as they are added: those of one turn of the event loop together, and those that are added while the
 * peer does not read in the next batch.
 */
export class RecordSender {
  readonly #stream: Pick<Stream, "write">;
  readonly #clock: Pick<Clock, "turn">;
  readonly #pending = new RecordBatch();
  #scheduled = false;
  /** Writes under way. */
  #unsent = 0;

  constructor(stream: Pick<Stream, "write">, clock: Pick<Clock, "turn">) {
    this.#stream = stream;
    this.#clock = clock;
  }

  /** True when so many records wait that the producer should await flush() first. */
  get isFull(): boolean {
    return this.#pending.length >= MAX_PENDING;
  }

  add(record: unknown): void {
    this.#pending.add(record);
    this.#schedule();
  }

  /** Send the waiting records. @throws as Stream.write() */
  async flush(): Promise<void> {
    if (this.#pending.length === 0) return;
    this.#unsent++;
    try {
      await this.#stream.write(this.#pending.take());
    } finally {
      this.#unsent--;
    }
    if (this.#pending.length > 0) this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    void this.#clock.turn().then(() => {
      this.#scheduled = false;
      // The end of the body meets the same failure.
      if (this.#unsent === 0) this.flush().catch(() => {});
    });
  }
}
