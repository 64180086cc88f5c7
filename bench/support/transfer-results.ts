import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BarChart, drawBarCharts } from "./svg.ts";
import type { TransferResult } from "./transfer-report.ts";

/** The measurements in the picture, and how many comparisons of each. */
const DRAWN: Readonly<Record<string, number>> = {
  "get-file": 1,
  "put-file": 1,
  "tree-get": 1,
  "tree-put": 1,
  "server-cpu": 2,
};

/**
 * Merge results into those of earlier runs, replacing the same measurements, as JSON and as a picture.
 *
 * @param order names of all measurements
 */
export function writeTransferResults(
  folder: string,
  results: readonly TransferResult[],
  order: readonly string[],
): void {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "transfer.json");
  const earlier: TransferResult[] = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).results : [];
  const all = order.flatMap((name) => {
    const found = [...results, ...earlier].find((result) => result.name === name);
    return found === undefined ? [] : [found];
  });
  writeFileSync(file, `${JSON.stringify({ results: all }, null, 2)}\n`);
  const charts = chartsOf(all);
  if (charts.length > 0) {
    writeFileSync(join(folder, "transfer.svg"), drawBarCharts(charts, { caption: captionOf(all) }));
  }
}

function chartsOf(results: readonly TransferResult[]): BarChart[] {
  return results.flatMap(({ name, title, comparisons }) =>
    comparisons.slice(0, DRAWN[name] ?? 0).flatMap(({ what, unit, better, rows }): BarChart[] => {
      const bars = rows.flatMap((row) =>
        "absent" in row ? [] : [{ name: row.name, value: row.median, ratio: row.ratio, marked: row.ours }],
      );
      const heading = DRAWN[name] === 1 ? title : `${title}, ${what}`;
      return bars.length === 0 ? [] : [{ title: heading, unit, better, bars }];
    }),
  );
}

function captionOf(results: readonly TransferResult[]): string {
  const machines = new Set(results.map(({ machine }) => `${machine.cpu}, ${machine.cores} cores`));
  return `Loopback; ${[...machines].join("; ")}. Medians; in parentheses: as a multiple of ours.`;
}
