import { median } from "./statistics.ts";

/** One contestant's figures, one for each round; or why there are none. */
export type Row = { readonly name: string; readonly ours?: true } & (
  | { readonly samples: readonly number[] }
  | { readonly absent: string }
);

/** The goal for a contestant's figure, by itself or relative to another's. */
export type Goal = {
  readonly of: string;
  /** The contestant that counts as 1; absent: the figure itself counts. */
  readonly beside?: string;
} & ({ readonly atMost: number } | { readonly atLeast: number });

/** The outcome of a goal. `value`: with `beside`, the median of the ratios of each round. */
export type Outcome = Goal & { readonly value: number; readonly isMet: boolean };

/** The same quantity of several contestants. */
export interface Comparison {
  readonly what: string;
  readonly unit: string;
  readonly better: "higher" | "lower";
  readonly rows: readonly Row[];
  readonly goals?: readonly Goal[];
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

/**
 * The outcomes of all goals whose contestants have figures. The two runs of a round follow each other, so a disturbance
 * affects both.
 */
export function judge({ rows, goals = [] }: Comparison): Outcome[] {
  const samplesOf = (name: string) => rows.flatMap((row) => (row.name === name && "samples" in row ? row.samples : []));
  return goals.flatMap((goal): Outcome[] => {
    const ours = samplesOf(goal.of);
    const theirs = goal.beside === undefined ? ours.map(() => 1) : samplesOf(goal.beside);
    const ratios = ours.flatMap((value, round) => {
      const one = theirs[round];
      return one === undefined || one === 0 ? [] : [value / one];
    });
    if (ratios.length === 0) return [];
    const value = median(ratios);
    return [{ ...goal, value, isMet: "atMost" in goal ? value <= goal.atMost : value >= goal.atLeast }];
  });
}
