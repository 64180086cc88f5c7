import { tmpdir } from "node:os";
import { join } from "node:path";
import { cp } from "../peers/cp.ts";
import { PEERS } from "../peers/fleet.ts";
import { FILE } from "../peers/peer.ts";
import { makeSparseFile } from "../support/sample-data.ts";
import { Workspace } from "../support/workspace.ts";
import { measureMoves, rowsOf } from "./moves.ts";
import {
  formatBytes,
  placeOf,
  type TransferContext,
  type TransferMeasurement,
  type TransferOutcome,
} from "./transfer.ts";

/** Whether memory stays bounded, however large the file is. One run each: memory differs little between runs. */
export const largeFile: TransferMeasurement = {
  name: "large-file",
  title: "highest resident memory for a very large file",
  async run(context: TransferContext): Promise<TransferOutcome> {
    const { large: bytes } = context.sizes;
    using workspace = Workspace.create(bytes);
    makeSparseFile(join(workspace.served, FILE), bytes);
    // On a disk, only ours is measured, since disks are slow.
    const peers = PEERS.filter((peer) => peer.ours || (workspace.inMemory && peer !== cp));
    const runs = await measureMoves(context, {
      workspace,
      move: "getFile",
      what: FILE,
      peers,
      rounds: 1,
      warmUp: false,
      memory: true,
    });
    const megabytes = (bytes: number | undefined) => (bytes === undefined ? undefined : bytes / 1e6);
    const kind = { unit: "MB", better: "lower" } as const;
    return {
      data: `one sparse file of ${formatBytes(bytes)}, ${placeOf(workspace)}`,
      rounds: 1,
      comparisons: [
        { what: "client's memory", ...kind, rows: rowsOf(runs, (run) => megabytes(run.clientPeak)) },
        { what: "server's memory", ...kind, rows: rowsOf(runs, (run) => megabytes(run.serverPeak)) },
        {
          what: "throughput meanwhile",
          unit: "GB/s",
          better: "higher",
          rows: rowsOf(runs, (run) => bytes / 1e9 / run.seconds),
        },
      ],
      notes: workspace.inMemory ? [] : [`no room in memory: the copy went to ${tmpdir()}, and only ours was measured`],
    };
  },
};
