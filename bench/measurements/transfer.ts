import type { Comparison } from "../support/comparison.ts";
import type { Programs } from "../support/compile.ts";
import type { Context } from "./measurement.ts";

/** How much is moved; less only to test the benchmark itself. */
export interface Sizes {
  /** Bytes of the file of get-file, put-file and server-cpu. */
  readonly file: number;
  /** Bytes of the file of large-file. */
  readonly large: number;
  /** Files of the tree. */
  readonly treeFiles: number;
  readonly clients: number;
  /** Files of million-list. */
  readonly listed: number;
}

export interface TransferContext extends Context {
  readonly programs: Programs;
  readonly sizes: Sizes;
  /** Show the progress to the person who waits. */
  note(line: string): void;
}

export interface TransferOutcome {
  /** A description of the moved data. */
  readonly data: string;
  readonly rounds: number;
  readonly comparisons: readonly Comparison[];
  readonly notes: readonly string[];
}

/** A measurement of ours beside others. */
export interface TransferMeasurement {
  readonly name: string;
  readonly title: string;
  /** Whether it runs only when it is named. */
  readonly onlyByName?: true;
  /** @throws when it can't be measured */
  run(context: TransferContext): Promise<TransferOutcome>;
}

export function formatBytes(bytes: number): string {
  const steps: [number, string][] = [
    [1024 ** 3, "GiB"],
    [1024 ** 2, "MiB"],
    [1024, "KiB"],
  ];
  const [size, unit] = steps.find(([size]) => bytes >= size) ?? [1, "bytes"];
  return `${Number((bytes / size).toFixed(2))} ${unit}`;
}

/** The place of the data: figures from memory and from disk can't be compared. */
export function placeOf({ inMemory }: { inMemory: boolean }): string {
  return inMemory ? "in memory-backed storage" : "on disk";
}
