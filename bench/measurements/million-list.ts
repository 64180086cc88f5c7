import { join } from "node:path";
import { commserver } from "../peers/commserver.ts";
import { Fleet } from "../peers/fleet.ts";
import { rsync } from "../peers/rsync.ts";
import { type Run, runClient } from "../support/run-client.ts";
import { makeSparseFile } from "../support/sample-data.ts";
import { type Contestant, inTurns } from "../support/turns.ts";
import { Workspace } from "../support/workspace.ts";
import { peerOf, rowsOf, runsOf } from "./moves.ts";
import { placeOf, type TransferContext, type TransferMeasurement, type TransferOutcome } from "./transfer.ts";

/** Roughly the memory that the system uses for an empty file. */
const BYTES_PER_FILE = 1500;

/** A list of very many files. Creating them takes a while, so this runs only when it is named. */
export const millionList: TransferMeasurement = {
  name: "million-list",
  title: "list very many files",
  onlyByName: true,
  async run(context: TransferContext): Promise<TransferOutcome> {
    const { programs, rounds, note, sizes } = context;
    using workspace = Workspace.create(sizes.listed * BYTES_PER_FILE);
    note(`making ${sizes.listed} files`);
    for (let index = 0; index < sizes.listed; index++) makeSparseFile(join(workspace.served, `file-${index}.txt`), 0);
    const options = { workspace, programs, writable: false, clients: 2 };
    await using fleet = await Fleet.open("list", options, [commserver, rsync]);
    const contestants = fleet.members.flatMap((member): Contestant<Run>[] => {
      const list = "open" in member ? member.open.operations.list : undefined;
      if ("absent" in member || list === undefined) return [];
      const options = { home: workspace.home, server: member.open.pid, memory: true, output: true };
      return [{ name: member.peer.name, run: () => runClient(list(), options) }];
    });
    const results = await inTurns(contestants, { rounds, warmUp: true, note });
    const runs = fleet.members.map((member) => ({ ...peerOf(member), ...runsOf(member, results) }));
    const megabytes = (bytes: number | undefined) => (bytes === undefined ? undefined : bytes / 1e6);
    return {
      data: `${sizes.listed} empty files in one folder, ${placeOf(workspace)}`,
      rounds,
      comparisons: [
        { what: "first line", unit: "s", better: "lower", rows: rowsOf(runs, (run) => run.firstSeconds) },
        { what: "all", unit: "s", better: "lower", rows: rowsOf(runs, (run) => run.seconds) },
        {
          what: "client's memory",
          unit: "MB",
          better: "lower",
          rows: rowsOf(runs, (run) => megabytes(run.clientPeak)),
        },
        {
          what: "server's memory",
          unit: "MB",
          better: "lower",
          rows: rowsOf(runs, (run) => megabytes(run.serverPeak)),
        },
      ],
      notes: [],
    };
  },
};
