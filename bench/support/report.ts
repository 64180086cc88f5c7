import type { Figure, Measurement, Outcome } from "../measurements/measurement.ts";
import type { Machine } from "./machine.ts";

export interface Result {
  readonly name: string;
  readonly title: string;
  readonly outcome: Outcome;
}

export function resultOf({ name, title }: Measurement, outcome: Outcome): Result {
  return { name, title, outcome };
}

export function formatMachine({ cpu, cores, memoryGb, system, bun, date, load }: Machine): string {
  return `${cpu}, ${cores} cores, ${memoryGb} GB; ${system}; Bun ${bun}; ${date}; load before ${load}`;
}

/** A line for each figure, in columns. */
export function formatResults(results: readonly Result[]): string {
  const rows = results.flatMap(({ title, outcome }) =>
    "skipped" in outcome
      ? [[title, "skipped", outcome.skipped, ""]]
      : outcome.figures.map((figure, index) => [
          index === 0 ? title : "",
          figure.what,
          formatValue(figure),
          verdict(figure),
        ]),
  );
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

function formatValue({ value, unit }: Figure): string {
  return `${value.toFixed(value < 10 ? 2 : 1).padStart(8)} ${unit}`;
}

function verdict({ value, unit, goal }: Figure): string {
  if (goal === undefined) return "";
  return `goal ${value < goal ? "met" : "missed"}: below ${goal} ${unit}`;
}
