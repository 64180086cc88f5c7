import { statSync } from "node:fs";
import { join } from "node:path";
import { Fleet } from "../peers/fleet.ts";
import { type Operation, TREE } from "../peers/peer.ts";
import type { Goal } from "../support/comparison.ts";
import { type Run, runClient } from "../support/run-client.ts";
import { makeTree } from "../support/sample-data.ts";
import { type Contestant, inTurns } from "../support/turns.ts";
import { Workspace } from "../support/workspace.ts";
import { peerOf, rowsOf, runsOf } from "./moves.ts";
import {
  formatBytes,
  placeOf,
  type TransferContext,
  type TransferMeasurement,
  type TransferOutcome,
} from "./transfer.ts";

const FILES_PER_FOLDER = 500;
const FILE_BYTES = 100;
/** Roughly the memory that the system uses for a small file. */
const BYTES_PER_FILE = 6_000;

/** A mirror of many files that are the same on both sides: what a nightly run does most of the time. */
export const syncUnchanged: TransferMeasurement = {
  name: "sync-unchanged",
  title: "mirror many files that are unchanged",
  run: (context) =>
    measure("syncTree", context, [
      { of: "commserver TLS 1.3", beside: "rsync", atMost: 0.67 },
      { of: "commserver TLS 1.3", beside: "rsync, both local", atMost: 0.67 },
    ]),
};

/** The SHA-256 of many small files, which were never computed before. */
export const digestTree: TransferMeasurement = {
  name: "digest-tree",
  title: "digest many small files",
  run: (context) => measure("digestTree", context, []),
};

async function measure(
  operation: Operation,
  { programs, rounds, note, sizes: { treeFiles: files } }: TransferContext,
  goals: readonly Goal[],
): Promise<TransferOutcome> {
  using workspace = Workspace.create(2 * files * BYTES_PER_FILE);
  const folders = Math.ceil(files / FILES_PER_FOLDER);
  const [first = ""] = makeTree(join(workspace.served, TREE), { files, folders, bytes: FILE_BYTES });
  const copied = Bun.spawnSync(["cp", "-a", join(workspace.served, TREE), workspace.target]);
  if (copied.exitCode !== 0) throw new Error(copied.stderr.toString());
  const inode = () => statSync(join(workspace.served, TREE, first)).ino;
  const before = inode();

  await using fleet = await Fleet.open(operation, { workspace, programs, writable: true, clients: 2 });
  const contestants = fleet.members.flatMap((member): Contestant<Run>[] => {
    const command = "open" in member ? member.open.operations[operation] : undefined;
    if ("absent" in member || command === undefined) return [];
    const options = { home: workspace.home, server: member.open.pid, memory: true };
    return [{ name: member.peer.name, run: () => runClient((command as () => { argv: string[] })(), options) }];
  });
  const results = await inTurns(contestants, { rounds, warmUp: true, note });
  if (inode() !== before) throw new Error("something was moved");

  const runs = fleet.members.map((member) => ({ ...peerOf(member), ...runsOf(member, results) }));
  const megabytes = (bytes: number | undefined) => (bytes === undefined ? undefined : bytes / 1e6);
  const figures = { unit: "s", better: "lower" } as const;
  const sizes = { unit: "MB", better: "lower" } as const;
  return {
    data: `${files} files of ${formatBytes(FILE_BYTES)} in ${folders} folders, ${placeOf(workspace)}`,
    rounds,
    comparisons: [
      { what: "time", ...figures, rows: rowsOf(runs, ({ seconds }) => seconds), goals },
      { what: "client's processor time", ...figures, rows: rowsOf(runs, ({ clientCpu }) => clientCpu) },
      { what: "server's processor time", ...figures, rows: rowsOf(runs, ({ serverCpu }) => serverCpu) },
      { what: "client's memory", ...sizes, rows: rowsOf(runs, (run) => megabytes(run.clientPeak)) },
      { what: "server's memory", ...sizes, rows: rowsOf(runs, (run) => megabytes(run.serverPeak)) },
    ],
    notes: [],
  };
}
