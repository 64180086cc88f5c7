import type { Plot } from "../plot.ts";

/** Does one thing after another, for as long as the soak lasts. */
export interface Lane {
  readonly name: string;
  /** One thing, to its end. Never throws for what a program under test does. */
  step(): Promise<void>;
  /** Nobody disturbs any more: finish what is unfinished, and leave. */
  settle(): Promise<void>;
  /** What it has of the repository for itself. */
  readonly plot?: Plot;
}
