import { jsonText } from "../protocol/json.ts";
import type { Clock } from "../session/clock.ts";
import type { Stream } from "../session/stream.ts";

const encoder = new TextEncoder();

/** Sends records one by one as they come up; those of one turn of the event loop leave together. */
export class RecordSender {
  readonly #stream: Pick<Stream, "write">;
  readonly #clock: Pick<Clock, "turn">;
  #pending = "";
  #scheduled = false;

  constructor(stream: Pick<Stream, "write">, clock: Pick<Clock, "turn">) {
    this.#stream = stream;
    this.#clock = clock;
  }

  add(record: unknown): void {
    this.#pending += `${jsonText(record)}\n`;
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
    if (records === "") return;
    this.#pending = "";
    await this.#stream.write(encoder.encode(records));
  }
}
