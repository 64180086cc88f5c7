import { join } from "node:path";
import { Fleet, type Member, PEERS } from "../peers/fleet.ts";
import type { OpenPeer, Operation, Peer } from "../peers/peer.ts";
import type { Row } from "../support/comparison.ts";
import { type Run, runClient } from "../support/run-client.ts";
import { digest } from "../support/sample-data.ts";
import { type Contestant, inTurns } from "../support/turns.ts";
import type { Workspace } from "../support/workspace.ts";
import type { TransferContext } from "./transfer.ts";

export type Move = Exclude<Operation, "discard" | "list">;

/** A peer and its runs, or why there are none. */
export type Runs = Pick<Peer, "name" | "ours"> & ({ readonly runs: readonly Run[] } | { readonly absent: string });

export interface MoveOptions {
  readonly workspace: Workspace;
  readonly move: Move;
  /** What is moved, by its name in the folder served; it arrives under the same. */
  readonly what: string;
  readonly peers?: readonly Peer[];
  readonly rounds?: number;
  /** Absent: true. */
  readonly warmUp?: boolean;
  readonly memory?: boolean;
}

/**
 * Move the same data with every peer in turn, each time into a folder that is new and empty. What arrived in the
 * first run of each is compared with what was sent.
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

/** A figure of each run; peers that have none, such as the server's time of a program without server, are left out. */
export function rowsOf(all: readonly Runs[], figure: (run: Run) => number | undefined): Row[] {
  return all.flatMap((one): Row[] => {
    const { name, ours } = one;
    const who = { name, ...(ours && { ours }) };
    if ("absent" in one) return [{ ...who, absent: one.absent }];
    const samples = one.runs.map(figure).filter((value) => value !== undefined);
    return samples.length === 0 ? [] : [{ ...who, samples }];
  });
}
