/** The most characters of a paste; the rest is dropped. */
const MAX_PASTE = 64 * 1024;

/** Gathers the text of one paste, which comes character by character. */
export class PastedText {
  #text = "";
  isCut = false;

  add(text: string): void {
    this.isCut ||= this.#text.length + text.length > MAX_PASTE;
    if (!this.isCut) this.#text += text;
  }

  /** Without controls, and without line feeds at its end: one line waits for Enter. */
  get text(): string {
    return this.#text.replace(/[^\P{Cc}\n]/gu, "").replace(/\n+$/, "");
  }
}
