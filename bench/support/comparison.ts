import { median } from "./statistics.ts";

/** One contestant's figures, one for each round; or why there are none. */
export type Row = { readonly name: string; readonly ours?: true } & (
  | { readonly samples: readonly number[] }
  | { readonly absent: string }
);

/** The same quantity of several contestants. */
export interface Comparison {
  readonly what: string;
  readonly unit: string;
  readonly better: "higher" | "lower";
  readonly rows: readonly Row[];
}

/** A row and the text about it. */
export interface Summary {
  readonly name: string;
  readonly ours: boolean;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Its median divided by that of the row that counts as 1: ours, or else the first. Absent when that is missing or 0. */
  readonly ratio: number | undefined;
}

export type Line = Summary | { readonly name: string; readonly absent: string };

export function summarize({ rows }: Comparison): Line[] {
  const base = rows.find(({ ours }) => ours) ?? rows[0];
  const one = base !== undefined && "samples" in base ? median(base.samples) : 0;
  return rows.map((row) => {
    if ("absent" in row) return { name: row.name, absent: row.absent };
    const middle = median(row.samples);
    const ratio = one > 0 ? middle / one : undefined;
    const [min, max] = [Math.min(...row.samples), Math.max(...row.samples)];
    return { name: row.name, ours: row.ours === true, median: middle, min, max, ratio };
  });
}
