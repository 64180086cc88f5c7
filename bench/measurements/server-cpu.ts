import { join } from "node:path";
import { commserver } from "../peers/commserver.ts";
import { Fleet } from "../peers/fleet.ts";
import { nginx } from "../peers/nginx.ts";
import { FILE } from "../peers/peer.ts";
import { type Run, runClient } from "../support/run-client.ts";
import { makeFile } from "../support/sample-data.ts";
import { type Contestant, inTurns } from "../support/turns.ts";
import { Workspace } from "../support/workspace.ts";
import { measureMoves, peerOf, type Runs, rowsOf, runsOf } from "./moves.ts";
import {
  formatBytes,
  placeOf,
  type TransferContext,
  type TransferMeasurement,
  type TransferOutcome,
} from "./transfer.ts";

const CONTESTANTS = [commserver, nginx];

/** The processor time of the server for a file: ours, and nginx, which lets the kernel send it. */
export const serverCpu: TransferMeasurement = {
  name: "server-cpu",
  title: "server's processor time for a file",
  async run(context: TransferContext): Promise<TransferOutcome> {
    const { file: bytes } = context.sizes;
    using workspace = Workspace.create(2 * bytes);
    makeFile(join(workspace.served, FILE), bytes);
    const stored = await measureMoves(context, { workspace, move: "getFile", what: FILE, peers: CONTESTANTS });
    const thrownAway = await measureDiscards(context, workspace);
    const perGib = ({ serverCpu }: Run) => (serverCpu === undefined ? undefined : serverCpu / (bytes / 1024 ** 3));
    const kind = { unit: "CPU s/GiB", better: "lower" } as const;
    return {
      data: `one file of ${formatBytes(bytes)} random bytes, ${placeOf(workspace)}`,
      rounds: context.rounds,
      comparisons: [
        { what: "the client stores it", ...kind, rows: rowsOf(stored, perGib) },
        { what: "the client throws it away", ...kind, rows: rowsOf(thrownAway, perGib) },
      ],
      notes: [],
    };
  },
};

async function measureDiscards(context: TransferContext, workspace: Workspace): Promise<Runs[]> {
  const { programs, rounds, note } = context;
  await using fleet = await Fleet.open("discard", { workspace, programs, writable: false, clients: 2 }, CONTESTANTS);
  const contestants = fleet.members.flatMap((member): Contestant<Run>[] => {
    const command = "open" in member ? member.open.operations.discard?.(FILE) : undefined;
    if ("absent" in member || command === undefined) return [];
    const options = { home: workspace.home, server: member.open.pid };
    return [{ name: member.peer.name, run: () => runClient(command, options) }];
  });
  const results = await inTurns(contestants, { rounds, warmUp: true, note });
  return fleet.members.map((member) => ({ ...peerOf(member), ...runsOf(member, results) }));
}
