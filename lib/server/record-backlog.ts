import type { MemoryShare, Reservation } from "./memory-share.ts";

/** The most that may wait for one reader: records, and the bytes of memory that they take. */
export const MAX_BACKLOG = { records: 10_000, bytes: 1024 * 1024 } as const;

/** Memory is reserved in steps. */
const STEP_BYTES = 16 * 1024;
/** Bytes that a record takes beside its text. */
const RECORD_BYTES = 64;

/**
 * Records that wait for a reader, as text. Records without room are dropped and counted, and the reader gets their
 * number instead.
 */
export class RecordBacklog<T> {
  readonly #reservation: Reservation | undefined;
  readonly #dropped: (count: number) => T;
  #lines: string[] = [];
  /** The index of the first waiting line in #lines. */
  #next = 0;
  #bytes = 0;
  #missing = 0;

  /** `dropped` makes the record that reports how many were dropped. */
  constructor(memory: MemoryShare, dropped: (count: number) => T) {
    this.#reservation = memory.tryReserve(0);
    this.#dropped = dropped;
  }

  /** Records that wait. */
  get count(): number {
    return this.#lines.length - this.#next;
  }

  /** `weight`: how many records to count if this one is dropped. */
  add(record: T, weight: number): void {
    // After a gap all records are dropped until the gap is reported, so that later ones don't come before it.
    if (this.#missing === 0 && this.count < MAX_BACKLOG.records) {
      const line = `${JSON.stringify(record)}\n`;
      const bytes = bytesOf(line);
      if (this.#reserve(this.#bytes + bytes)) {
        this.#lines.push(line);
        this.#bytes += bytes;
        return;
      }
    }
    this.#missing += weight;
  }

  /** Take records from the front: about `length` characters, one record at least; "" when none waits. */
  take(length: number): string {
    let text = "";
    while (this.#next < this.#lines.length && text.length < length) {
      const line = this.#lines[this.#next] as string;
      this.#lines[this.#next++] = "";
      this.#bytes -= bytesOf(line);
      text += line;
    }
    if (this.#next === this.#lines.length) {
      this.#lines = [];
      this.#next = 0;
      if (this.#missing > 0 && text === "") {
        text = `${JSON.stringify(this.#dropped(this.#missing))}\n`;
        this.#missing = 0;
      }
    }
    this.#reserve(this.#bytes);
    return text;
  }

  /** Nobody reads any more. */
  clear(): void {
    this.#lines = [];
    this.#next = 0;
    this.#bytes = 0;
    this.#reservation?.release();
  }

  #reserve(bytes: number): boolean {
    if (bytes > MAX_BACKLOG.bytes || this.#reservation === undefined) return false;
    const wanted = Math.ceil(bytes / STEP_BYTES) * STEP_BYTES;
    return wanted === this.#reservation.bytes || this.#reservation.resize(wanted);
  }
}

/** In memory: two bytes for each character at most. */
function bytesOf(line: string): number {
  return 2 * line.length + RECORD_BYTES;
}
