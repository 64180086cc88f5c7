/** A cell as it is, and as it is shown: with colors, for instance. */
export interface Cell {
  readonly text: string;
  readonly shown?: string;
}

const GAP = 2;

/** Names in columns, downwards as `ls` has them; without a width one on each line. */
export function inColumns(cells: readonly Cell[], columns: number | undefined): string {
  const width = Math.max(0, ...cells.map(({ text }) => Bun.stringWidth(text))) + GAP;
  const perLine = columns === undefined ? 1 : Math.max(1, Math.floor((columns + GAP - 1) / width));
  const lines = Math.ceil(cells.length / perLine);
  return Array.from({ length: lines }, (_, line) =>
    cells
      .filter((_, index) => index % lines === line)
      .map(({ text, shown = text }, column, all) => {
        const blanks = column === all.length - 1 ? "" : " ".repeat(width - Bun.stringWidth(text));
        return `${shown}${blanks}`;
      })
      .join(""),
  ).join("\n");
}
