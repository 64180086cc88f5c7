import { encodeRecord } from "../protocol/records.ts";
import type { Clock } from "../session/clock.ts";
import type { Stream } from "../session/stream.ts";

/** Sends records one by one as they come up; those of one turn of the event loop leave together. */
export class RecordSender {
  readonly #stream: Pick<Stream, "write">;
  readonly #clock: Pick<Clock, "turn">;
  #pending: Uint8Array[] = [];
  #scheduled = false;

  constructor(stream: Pick<Stream, "write">, clock: Pick<Clock, "turn">) {
    this.#stream = stream;
    this.#clock = clock;
  }

  add(record: unknown): void {
    this.#pending.push(encodeRecord(record));
    if (this.#scheduled) return;
    this.#scheduled = true;
    void this.#clock.turn().then(() => {
      this.#scheduled = false;
      // Whoever ends the body meets the same failure.
      this.flush().catch(() => {});
    });
  }

  /** Send what waits. @throws as Stream.write() */
  async flush(): Promise<void> {
    const records = this.#pending;
    if (records.length === 0) return;
    this.#pending = [];
    await this.#stream.write(concat(records));
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}
