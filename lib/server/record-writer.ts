import { jsonText } from "../protocol/json.ts";
import type { Stream } from "../session/stream.ts";

/** Records are gathered up to this many characters before they go out. */
const FLUSH_LENGTH = 32 * 1024;

const encoder = new TextEncoder();

/** Writes records into the body of a stream, many in one frame. Source: PROTOCOL.md, "Bodies of records". */
export class RecordWriter {
  readonly #stream: Stream;
  #text = "";
  #first = true;
  count = 0;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  add(record: unknown): void {
    this.#text += `${jsonText(record)}\n`;
    this.count++;
  }

  /** The first records leave at once, so that the reader sees something; later ones when they fill a frame. */
  async flushIfFull(): Promise<void> {
    if (this.#text.length >= FLUSH_LENGTH || this.#first) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#text === "") return;
    const bytes = encoder.encode(this.#text);
    this.#text = "";
    this.#first = false;
    await this.#stream.write(bytes);
  }
}
