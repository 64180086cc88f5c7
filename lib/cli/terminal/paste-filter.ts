/** Source: xterm's control sequences, "Bracketed Paste Mode". */
export const PASTE_ON = "\u001b[?2004h";
export const PASTE_OFF = "\u001b[?2004l";
const BEGIN = bytesOf("\u001b[200~");
const END = bytesOf("\u001b[201~");

const [TAB, LINE_FEED, RETURN, SPACE, DELETE] = [0x09, 0x0a, 0x0d, 0x20, 0x7f];

/**
 * Takes what a terminal sends, and makes pasted text harmless before anything reads it: between the marks of a paste
 * only text and line feeds remain. A key that a paste brings along (Ctrl-C, Escape, Enter) is none.
 */
export class PasteFilter {
  #isPasting = false;
  /** Bytes of the mark that is awaited, seen so far. */
  #matched = 0;
  #afterReturn = false;

  /** @returns the bytes to read instead; those that may begin the end of a paste come later */
  take(bytes: Uint8Array): Uint8Array {
    const taken: number[] = [];
    for (const byte of bytes) {
      if (this.#isPasting) this.#takePasted(byte, taken);
      else this.#takeTyped(byte, taken);
    }
    return Uint8Array.from(taken);
  }

  #takeTyped(byte: number, taken: number[]): void {
    taken.push(byte);
    this.#matched = byte === BEGIN[this.#matched] ? this.#matched + 1 : byte === BEGIN[0] ? 1 : 0;
    if (this.#matched === BEGIN.length) this.#switch(true);
  }

  #takePasted(byte: number, taken: number[]): void {
    if (byte === END[this.#matched]) {
      if (++this.#matched < END.length) return;
      taken.push(...END);
      return this.#switch(false);
    }
    // It was no mark after all. Only its first byte is a control character.
    for (const seen of END.slice(1, this.#matched)) taken.push(seen);
    this.#matched = byte === END[0] ? 1 : 0;
    if (this.#matched === 0) this.#clean(byte, taken);
  }

  #clean(byte: number, taken: number[]): void {
    const isSecond = this.#afterReturn && byte === LINE_FEED;
    this.#afterReturn = byte === RETURN;
    if (isSecond) return;
    if (byte === RETURN || byte === LINE_FEED) taken.push(LINE_FEED);
    else if (byte === TAB) taken.push(SPACE);
    else if (byte >= SPACE && byte !== DELETE) taken.push(byte);
  }

  #switch(isPasting: boolean): void {
    this.#isPasting = isPasting;
    this.#matched = 0;
    this.#afterReturn = false;
  }
}

function bytesOf(text: string): readonly number[] {
  return [...new TextEncoder().encode(text)];
}
