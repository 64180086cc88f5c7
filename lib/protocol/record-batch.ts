import { jsonText } from "./json.ts";

const encoder = new TextEncoder();

/** Records that are sent together: JSON and a line feed each. Source: PROTOCOL.md, "Bodies of records". */
export class RecordBatch {
  #text = "";

  /** The length in UTF-16 units. */
  get length(): number {
    return this.#text.length;
  }

  /** @throws as jsonText() */
  add(record: unknown): void {
    this.#text += `${jsonText(record)}\n`;
  }

  /** All records as bytes, which belong to the caller; empties the batch. */
  take(): Uint8Array {
    const bytes = encoder.encode(this.#text);
    this.#text = "";
    return bytes;
  }
}
