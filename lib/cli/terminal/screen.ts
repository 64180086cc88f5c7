/** Something at the bottom of a terminal, below all printed lines: a prompt, or bars. It draws itself. */
export interface Region {
  /** Erase the region, and leave the cursor at the beginning of its first row. */
  erase(): void;
  draw(): void;
}

/**
 * The one owner of a terminal's screen. Printed lines go above the region that is shown, which is erased before and
 * drawn again after them. Everything that writes to the terminal must go through here, or it is overwritten.
 */
export class Screen {
  /** The last region is on the screen; it covers those before it. */
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

  /** Redraw a region that has changed, unless another covers it. */
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

/** A terminal that shows plain text only, such as an editor's: no sequence moves its cursor or clears it. */
export function isDumb(): boolean {
  return process.env["TERM"] === "dumb";
}

/** The columns of a terminal. A pseudo terminal that nobody has sized says 0. */
export function columnsOf(stream: NodeJS.WriteStream): number {
  return stream.columns || 80;
}

/**
 * Rows that a line takes on a terminal that wraps it at `columns`: a wide character that no longer fits begins the next
 * row.
 */
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

/** As much of a line as no terminal wraps at `columns`. */
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

/**
 * Characters that join to one emoji count one by one: terminals disagree on them, and too short a line does no harm.
 */
function widthOf(line: string): number {
  let width = 0;
  for (const character of line) width += Bun.stringWidth(character);
  return width;
}
