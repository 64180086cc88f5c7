import { type Comparison, judge, type Line, type Outcome, type Summary, summarize } from "./comparison.ts";
import type { Machine } from "./machine.ts";

/** One measurement with everything needed to read it by itself. */
export interface TransferResult {
  readonly name: string;
  readonly title: string;
  readonly machine: Machine;
  readonly data: string;
  readonly rounds: number;
  readonly comparisons: readonly (Omit<Comparison, "rows" | "goals"> & {
    readonly rows: readonly Line[];
    readonly goals?: readonly Outcome[];
  })[];
  readonly notes: readonly string[];
}

/** Medians over the rounds, in place of the single values. */
export function summarizeAll(comparisons: readonly Comparison[]): TransferResult["comparisons"] {
  return comparisons.map(({ goals, ...comparison }) => ({
    ...comparison,
    rows: summarize(comparison),
    ...(goals !== undefined && { goals: judge({ ...comparison, goals }) }),
  }));
}

/** A table for each comparison. */
export function formatTransfer({ name, title, data, rounds, comparisons, notes }: TransferResult): string {
  const lines = [
    `${title} (${name})`,
    `${data}; ${rounds === 1 ? "1 round" : `median of ${rounds} rounds, min – max`}`,
  ];
  for (const { what, unit, better, rows, goals = [] } of comparisons) {
    const ours = rows.some((row) => "ours" in row && row.ours);
    lines.push("", `  ${what}, ${unit}: ${better} is better${ours ? "; ours = 1.00×" : ""}`);
    const width = Math.max(...rows.map((row) => row.name.length));
    lines.push(...rows.map((row) => `    ${row.name.padEnd(width)}  ${formatLine(row, better, ours)}`.trimEnd()));
    lines.push(...goals.map((goal) => `    ${formatGoal(goal, unit)}`));
  }
  return `${[...lines, ...notes.map((note) => `\n  ${note}`)].join("\n")}\n`;
}

function formatLine(line: Line, better: Comparison["better"], ours: boolean): string {
  if ("absent" in line) return line.absent;
  const range = `${formatNumber(line.min)} – ${formatNumber(line.max)}`;
  const ratio = line.ratio === undefined ? "" : `${line.ratio.toFixed(2)}×`;
  return `${formatNumber(line.median).padStart(8)}  ${range.padStart(17)}  ${ratio.padStart(7)}${ours ? verdict(line, better) : ""}`;
}

function formatGoal(goal: Outcome, unit: string): string {
  const { of, beside, value, isMet } = goal;
  const [limit, word] = "atMost" in goal ? [goal.atMost, "at most"] : [goal.atLeast, "at least"];
  const [figure, asked] =
    beside === undefined
      ? [`${formatNumber(value)} ${unit}`, `${limit} ${unit}`]
      : [`${value.toFixed(2)}× of ${beside}`, `${limit}×`];
  return `goal ${isMet ? "met" : "missed"}: ${of} ${figure}; ${word} ${asked}`;
}

function verdict({ ours, ratio }: Summary, better: Comparison["better"]): string {
  if (ours || ratio === undefined || ratio === 1) return "";
  return ratio > 1 === (better === "higher") ? "  better than ours" : "  worse than ours";
}

/** Three significant digits. */
export function formatNumber(value: number): string {
  if (value >= 100) return value.toFixed(0);
  if (value >= 10) return value.toFixed(1);
  return value.toFixed(value >= 1 || value === 0 ? 2 : 3);
}
