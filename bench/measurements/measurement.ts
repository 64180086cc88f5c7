import type { Programs } from "../support/compile.ts";

export type Unit = "µs" | "ms" | "MB" | "KB" | "MB/s" | "times";

/** One number of the report. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: Unit;
  /** The value that it should stay below; absent: for information. */
  readonly goal?: number;
}

export interface Context {
  readonly programs: Programs;
  /** For probes, states and files; removed at the end. */
  readonly folder: string;
  /** How often round trips are measured; the figures are medians over them. */
  readonly rounds: number;
}

export type Outcome = { readonly figures: readonly Figure[] } | { readonly skipped: string };

export interface Measurement {
  readonly name: string;
  readonly title: string;
  /** @throws when it can't be measured */
  run(context: Context): Promise<Outcome>;
}
