import { join } from "node:path";
import { Fleet, type Member, PEERS } from "../peers/fleet.ts";
import type { OpenPeer, Operation, Peer } from "../peers/peer.ts";
import type { Row } from "../support/comparison.ts";
import { type Run, runClient } from "../support/run-client.ts";
import { digest } from "../support/sample-data.ts";
import { type Contestant, inTurns } from "../support/turns.ts";
import type { Workspace } from "../support/workspace.ts";
import type { TransferContext } from "./transfer.ts";

export type Move = Exclude<Operation, "discard" | "list" | "syncTree" | "digestTree">;

/** A peer and its runs, or why there are none. */
export type Runs = Pick<Peer, "name" | "ours"> & ({ readonly runs: readonly Run[] } | { readonly absent: string });

export interface MoveOptions {
  readonly workspace: Workspace;
  readonly move: Move;
  /** The name of the moved file or folder in the served folder, and at its target. */
  readonly what: string;
  readonly peers?: readonly Peer[];
  readonly rounds?: number;
  /** Absent: true. */
  readonly warmUp?: boolean;
  readonly memory?: boolean;
}

/**
 * Move the same data with every peer in turn, each time into a new, empty folder. The result of each peer's first run
 * is compared with the source.
 */
export async function measureMoves(context: TransferContext, options: MoveOptions): Promise<Runs[]> {
  const { workspace, move, what, rounds = context.rounds, warmUp = true, memory = false } = options;
  const writable = move === "putFile" || move === "putTree";
  const { programs } = context;
  await using fleet = await Fleet.open(move, { workspace, programs, writable, clients: 2 }, options.peers ?? PEERS);
  const expected = await digest(join(workspace.served, what));
  const arrival = writable ? workspace.inbox : workspace.target;

  const runOnce = async (open: OpenPeer, check: boolean): Promise<Run> => {
    workspace.empty(arrival);
    try {
      await open.refresh?.();
      const command = open.operations[move]?.();
      if (command === undefined) throw new Error(`it has no ${move}`);
      const run = await runClient(command, { home: workspace.home, server: open.pid, memory });
      if (check && (await digest(join(arrival, what))) !== expected)
        throw new Error("what arrived is not what was sent");
      return run;
    } finally {
      workspace.empty(arrival);
    }
  };
  const contestants = fleet.members.flatMap((member): Contestant<Run>[] =>
    "absent" in member
      ? []
      : [{ name: member.peer.name, run: (round) => runOnce(member.open, round === (warmUp ? 0 : 1)) }],
  );
  const results = await inTurns(contestants, { rounds, warmUp, note: context.note });
  return fleet.members.map((member) => ({ ...peerOf(member), ...runsOf(member, results) }));
}

export function peerOf({ peer }: Member): Pick<Peer, "name" | "ours"> {
  return { name: peer.name, ...(peer.ours && { ours: peer.ours }) };
}

/** Results of one member. */
export function runsOf<Sample>(
  member: Member,
  results: ReadonlyMap<string, Sample[] | { absent: string }>,
): { runs: Sample[] } | { absent: string } {
  if ("absent" in member) return { absent: member.absent };
  const result = results.get(member.peer.name) ?? [];
  return Array.isArray(result) ? { runs: result } : result;
}

/** A figure of each run. Peers without it are left out, such as a program without a server for the server's time. */
export function rowsOf(all: readonly Runs[], figure: (run: Run) => number | undefined): Row[] {
  return all.flatMap((one): Row[] => {
    const { name, ours } = one;
    const who = { name, ...(ours && { ours }) };
    if ("absent" in one) return [{ ...who, absent: one.absent }];
    const samples = one.runs.map(figure).filter((value) => value !== undefined);
    return samples.length === 0 ? [] : [{ ...who, samples }];
  });
}
