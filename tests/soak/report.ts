import { describe, type Finding } from "./findings.ts";
import type { Site } from "./site.ts";

export interface Report {
  readonly findings: readonly Finding[];
  /** Where the logs are when there are findings. */
  readonly folder: string;
  /** For people. */
  readonly text: string;
  readonly operations: number;
  readonly checkpoints: number;
}

const SHOWN = 20;

export function reportOf(site: Site, { seconds, checkpoints }: { seconds: number; checkpoints: number }): Report {
  const { findings, operations, faults, outcomes, events, worst, server, seed } = site;
  const { all, folder } = findings;
  const verdict = all.length === 0 ? "nothing found" : `${all.length} FOUND, logs in ${folder}`;
  const lines = [
    `soak, seed ${seed}: ${seconds.toFixed(0)} s, ${checkpoints} checkpoints, ${server.lives} lives of the server`,
    `  operations: ${operations.total}: ${operations}`,
    `  faults: ${faults.total}: ${faults}`,
    `  outcomes: ${outcomes}`,
    `  events: ${events.counts}`,
    `  worst: ${worst}`,
    ...all.slice(0, SHOWN).map((finding) => `  FOUND ${describe(finding).split("\n")[0]?.slice(0, 300)}`),
    `  verdict: ${verdict}`,
  ];
  return { findings: all, folder, text: lines.join("\n"), operations: operations.total, checkpoints };
}
