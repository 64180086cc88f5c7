import { wireOfReason } from "../protocol/messages.ts";
import { type ListTrailer, MAX_LEFT_OUT, MAX_LEFT_OUT_NAME } from "../protocol/methods.ts";
import type { LeftOut } from "../storage/storage.ts";

/** Bytes of JSON that the names in a trailer may take: it must fit one control frame. */
export const MAX_BYTES = 32 * 1024;

const encoder = new TextEncoder();

type Told = NonNullable<ListTrailer["leftOut"]>;

/** Entries that a list leaves out: counted, and the first ones named. Source: PROTOCOL.md, "list". */
export class LeftOutList {
  #count = 0;
  #unreadable = 0;
  #bytes = 0;
  readonly #told: Told = [];

  add({ name, code }: LeftOut): void {
    this.#count++;
    if (code === "UNREADABLE") this.#unreadable++;
    if (this.#told.length === MAX_LEFT_OUT) return;
    const told = { name: shortened(name), code: wireOfReason(code) };
    const bytes = encoder.encode(JSON.stringify(told)).length;
    if (this.#bytes + bytes > MAX_BYTES) return;
    this.#bytes += bytes;
    this.#told.push(told);
  }

  /** Members of the trailer. */
  get members(): Omit<ListTrailer, "entries"> {
    if (this.#count === 0) return { skipped: 0 };
    return { skipped: this.#count, unreadable: this.#unreadable, leftOut: this.#told };
  }
}

function shortened(name: string): string {
  const text = name.length > MAX_LEFT_OUT_NAME ? `${name.slice(0, MAX_LEFT_OUT_NAME - 1)}…` : name;
  return text.toWellFormed();
}
