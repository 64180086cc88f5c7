import { formatNumber } from "./transfer-report.ts";

/** Horizontal bars of one quantity; each chart has its own scale. */
export interface BarChart {
  readonly title: string;
  readonly unit: string;
  readonly better: "higher" | "lower";
  readonly bars: readonly Bar[];
}

export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly ratio: number | undefined;
  /** True for the highlighted bar. */
  readonly marked: boolean;
}

const WIDTH = 760;
const MARGIN = 12;
const NAMES_END = 170;
const BARS_END = 620;
const TITLE_HEIGHT = 26;
const BAR_HEIGHT = 14;
const BAR_STEP = 20;
const GAP = 16;

/**
 * Greys that are readable on white and on black, for viewers that don't report their background; the rest is for those
 * that do.
 */
const STYLE = `
text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #737b85 }
.title { font-size: 13px; font-weight: 600 }
.marked { font-weight: 600 }
.bar { fill: #9aa4b0 }
.bar.marked { fill: #2f7ee6 }
@media (prefers-color-scheme: light) { .title, .marked { fill: #1f2328 } text { fill: #59636e } }
@media (prefers-color-scheme: dark) { text { fill: #9198a1 } .title, .marked { fill: #f0f6fc } .bar { fill: #656c76 } }
@media (prefers-color-scheme: light), (prefers-color-scheme: dark) { .bar.marked { fill: #2f7ee6 } }
`;

/** @param caption one line below all charts */
export function drawBarCharts(charts: readonly BarChart[], { caption }: { caption: string }): string {
  let y = MARGIN;
  const parts: string[] = [];
  for (const chart of charts) {
    parts.push(...drawChart(chart, y));
    y += TITLE_HEIGHT + chart.bars.length * BAR_STEP + GAP;
  }
  parts.push(text(MARGIN, y + 4, caption));
  const height = y + MARGIN + 4;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">
<title>${escapeXml(charts.map(({ title }) => title).join("; "))}</title>
<style>${STYLE}</style>
${parts.join("\n")}
</svg>
`;
}

function drawChart({ title, unit, better, bars }: BarChart, top: number): string[] {
  const most = Math.max(...bars.map(({ value }) => value));
  const heading = `${title}: ${unit}, ${better} is better`;
  return [
    text(MARGIN, top + 14, heading, { class: "title" }),
    ...bars.flatMap(({ name, value, ratio, marked }, index) => {
      const y = top + TITLE_HEIGHT + index * BAR_STEP;
      const length = most > 0 ? Math.max(1, (value / most) * (BARS_END - NAMES_END)) : 1;
      const figures = `${formatNumber(value)}${ratio === undefined ? "" : `  (${ratio.toFixed(2)}×)`}`;
      const kind = marked ? { class: "marked" } : {};
      return [
        text(NAMES_END - 8, y + 11, name, { ...kind, "text-anchor": "end" }),
        `<rect class="bar${marked ? " marked" : ""}" x="${NAMES_END}" y="${y}" width="${length.toFixed(1)}" height="${BAR_HEIGHT}" rx="2"/>`,
        text(NAMES_END + length + 6, y + 11, figures, kind),
      ];
    }),
  ];
}

function text(x: number, y: number, content: string, attributes: Record<string, string> = {}): string {
  const rest = Object.entries(attributes).map(([name, value]) => ` ${name}="${value}"`);
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}"${rest.join("")}>${escapeXml(content)}</text>`;
}

function escapeXml(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
