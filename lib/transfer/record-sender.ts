import { RecordBatch } from "../protocol/record-batch.ts";
import type { Clock } from "../session/clock.ts";
import type { Stream } from "../session/stream.ts";

/** In UTF-16 units: more is not made while what is there has not left. */
const MAX_PENDING = 64 * 1024;

/**
 * Sends records one by one as they come up; those of one turn of the event loop leave together, and those that come up
 * while the peer takes nothing wait together.
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

  /** True when so much waits that flush() should be awaited before more is made. */
  get isFull(): boolean {
    return this.#pending.length >= MAX_PENDING;
  }

  add(record: unknown): void {
    this.#pending.add(record);
    this.#schedule();
  }

  /** Send what waits. @throws as Stream.write() */
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
