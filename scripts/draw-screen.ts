import type xterm from "@xterm/headless";

/** Sizes in pixels. */
const CELL = 8.4;
const LINE = 19;
const FONT = 14;
const MARGIN = 16;
const BAR = 30;

/** The eight colours of a terminal, to be read on a dark ground. */
const PALETTE = ["#7d8590", "#ff7b72", "#7ee787", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#e6edf3"];
const INK = "#e6edf3";
const GROUND = "#0d1117";

/** What a terminal shows, as a picture: a window of its own colours, so that it is readable on light and dark pages. */
export function drawScreen(terminal: xterm.Terminal): string {
  const rows = shownRows(terminal);
  const width = Math.ceil(terminal.cols * CELL + 2 * MARGIN);
  const height = BAR + rows.length * LINE + MARGIN;
  const dots = ["#ff5f57", "#febc2e", "#28c840"].map(
    (colour, index) => `<circle cx="${MARGIN + 4 + index * 18}" cy="16" r="5.5" fill="${colour}"/>`,
  );
  const texts = rows.map(
    (spans, row) =>
      `<text xml:space="preserve" x="${MARGIN}" y="${BAR + (row + 1) * LINE - 5}">${spans.join("")}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="A session in a terminal">
<rect width="${width}" height="${height}" rx="8" fill="${GROUND}" stroke="#30363d"/>
${dots.join("")}
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${FONT}" fill="${INK}">
${texts.join("\n")}
</g>
</svg>
`;
}

/** The lines as spans of one style each, without the last one, which is an empty prompt. */
function shownRows(terminal: xterm.Terminal): string[][] {
  const buffer = terminal.buffer.active;
  const last = buffer.baseY + buffer.cursorY;
  return Array.from({ length: last }, (_, row) => spansOf(buffer.getLine(row), terminal.cols));
}

function spansOf(line: xterm.IBufferLine | undefined, columns: number): string[] {
  const spans: { style: string; text: string; from: number; to: number }[] = [];
  for (let column = 0; column < columns; column++) {
    const cell = line?.getCell(column);
    if (cell === undefined || cell.getWidth() === 0) continue;
    const style = styleOf(cell);
    const before = spans.at(-1);
    const text = cell.getChars() || " ";
    const to = column + cell.getWidth();
    if (before?.style === style) Object.assign(before, { text: before.text + text, to });
    else spans.push({ style, text, from: column, to });
  }
  return spans
    .map((span) => ({ ...span, text: span.text.trimEnd() }))
    .filter(({ text }) => text !== "")
    .map(({ style, text, from }) => {
      // Whatever font it is: a span begins where its column is, and is as wide as its columns.
      const at = `x="${(MARGIN + from * CELL).toFixed(1)}" textLength="${([...text].length * CELL).toFixed(1)}"`;
      return `<tspan ${at}${style}>${text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)}</tspan>`;
    });
}

function styleOf(cell: xterm.IBufferCell): string {
  const colour = cell.isFgPalette() ? ` fill="${PALETTE[cell.getFgColor() % PALETTE.length]}"` : "";
  return `${colour}${cell.isBold() ? ' font-weight="bold"' : ""}${cell.isDim() ? ' opacity="0.7"' : ""}`;
}
