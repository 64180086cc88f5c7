/** What stands at the bottom of a terminal, below all that is printed: a prompt, or bars. It writes by itself. */
export interface Region {
  /** Remove it, the cursor left at the beginning of its first row. */
  erase(): void;
  draw(): void;
}

/**
 * The one owner of a terminal's screen: whatever is printed goes above the region that is shown, which is erased before and
 * drawn again behind it. Everything that writes to the terminal must come through here, or it is painted over.
 */
export class Screen {
  /** The last one is on the screen; it covers those before it. */
  readonly #regions: Region[] = [];

  /** Let `write` print whole lines above the region. */
  print<T>(write: () => T): T {
    const region = this.#regions.at(-1);
    if (region === undefined) return write();
    region.erase();
    try {
      return write();
    } finally {
      region.draw();
    }
  }

  /** Show a region in place of the one that is shown now. @returns the function that takes it away again */
  show(region: Region): () => void {
    this.#regions.at(-1)?.erase();
    this.#regions.push(region);
    region.draw();
    return () => this.#hide(region);
  }

  /** Draw a region anew that has changed; nothing while another covers it. */
  redraw(region: Region): void {
    if (this.#regions.at(-1) !== region) return;
    region.erase();
    region.draw();
  }

  #hide(region: Region): void {
    const index = this.#regions.lastIndexOf(region);
    if (index === -1) return;
    const isShown = index === this.#regions.length - 1;
    if (isShown) region.erase();
    this.#regions.splice(index, 1);
    if (isShown) this.#regions.at(-1)?.draw();
  }
}

/** A terminal that takes text alone, such as that of an editor: no sequence moves its cursor or clears it. */
export function isDumb(): boolean {
  return process.env["TERM"] === "dumb";
}

/** The columns of a terminal. A pseudo terminal that nobody has sized says 0. */
export function columnsOf(stream: NodeJS.WriteStream): number {
  return stream.columns || 80;
}

/** Rows that a line takes at so many columns, on a terminal that wraps it: a wide character that no longer fits begins the next. */
export function rowsOf(line: string, columns: number): number {
  let rows = 1;
  let column = 0;
  for (const character of line) {
    const width = Bun.stringWidth(character);
    if (column + width > columns) {
      rows++;
      column = 0;
    }
    column += width;
  }
  return rows;
}

/** The beginning of a line that no terminal wraps at so many columns. */
export function clip(line: string, columns: number): string {
  if (widthOf(line) <= columns) return line;
  let width = 1; // of the ellipsis
  let end = 0;
  for (const character of line) {
    width += Bun.stringWidth(character);
    if (width > columns) break;
    end += character.length;
  }
  return `${line.slice(0, end)}…`;
}

/** Characters that join to one picture count one by one: terminals do not agree on that, and too short a line is no harm. */
function widthOf(line: string): number {
  let width = 0;
  for (const character of line) width += Bun.stringWidth(character);
  return width;
}
