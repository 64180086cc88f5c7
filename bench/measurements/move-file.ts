import { join } from "node:path";
import { FILE } from "../peers/peer.ts";
import type { Comparison } from "../support/comparison.ts";
import { makeFile } from "../support/sample-data.ts";
import { Workspace } from "../support/workspace.ts";
import { type Move, measureMoves, type Runs, rowsOf } from "./moves.ts";
import {
  formatBytes,
  placeOf,
  type TransferContext,
  type TransferMeasurement,
  type TransferOutcome,
} from "./transfer.ts";

export const getFile: TransferMeasurement = {
  name: "get-file",
  title: "fetch one large file",
  run: (context) => moveFile("getFile", context),
};

export const putFile: TransferMeasurement = {
  name: "put-file",
  title: "send one large file",
  run: (context) => moveFile("putFile", context),
};

async function moveFile(move: Move, context: TransferContext): Promise<TransferOutcome> {
  const { file: bytes } = context.sizes;
  using workspace = Workspace.create(2 * bytes);
  makeFile(join(workspace.served, FILE), bytes);
  const runs = await measureMoves(context, { workspace, move, what: FILE });
  return {
    data: `one file of ${formatBytes(bytes)} random bytes, ${placeOf(workspace)}`,
    rounds: context.rounds,
    comparisons: [
      {
        what: "throughput",
        unit: "GB/s",
        better: "higher",
        rows: rowsOf(runs, ({ seconds }) => bytes / 1e9 / seconds),
      },
      ...cpuComparisons(runs, bytes),
    ],
    notes: [],
  };
}

/** Processor time for each GiB moved, of both ends. */
export function cpuComparisons(runs: readonly Runs[], bytes: number): Comparison[] {
  const unit = "CPU s/GiB";
  const perGib = (seconds: number | undefined) => (seconds === undefined ? undefined : seconds / (bytes / 1024 ** 3));
  return [
    { what: "client's processor time", unit, better: "lower", rows: rowsOf(runs, (run) => perGib(run.clientCpu)) },
    { what: "server's processor time", unit, better: "lower", rows: rowsOf(runs, (run) => perGib(run.serverCpu)) },
  ];
}
