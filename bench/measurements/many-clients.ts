import { join } from "node:path";
import { commserver, openCommserver } from "../peers/commserver.ts";
import { Fleet, type Member } from "../peers/fleet.ts";
import { nginx } from "../peers/nginx.ts";
import type { OpenPeer } from "../peers/peer.ts";
import type { Row } from "../support/comparison.ts";
import { Probe } from "../support/probe.ts";
import { runClient } from "../support/run-client.ts";
import { makeFile } from "../support/sample-data.ts";
import { median } from "../support/statistics.ts";
import { type Contestant, inTurns } from "../support/turns.ts";
import { Workspace } from "../support/workspace.ts";
import { peerOf, runsOf } from "./moves.ts";
import {
  formatBytes,
  placeOf,
  type TransferContext,
  type TransferMeasurement,
  type TransferOutcome,
} from "./transfer.ts";

const PART_BYTES = 64 * 1024 * 1024;
const PART = "part.bin";
/** As large as all parts together, for a single client. */
const WHOLE = "whole.bin";

interface Crowd {
  /** From the common start to the end of the first client, and of the last. */
  readonly fastest: number;
  readonly slowest: number;
  /** GB/s of all together. */
  readonly rate: number;
  /** The rate divided by that of a single client that fetches as much. */
  readonly share: number;
}

/** Whether many clients get equal shares, and all together as much as a single one. */
export const manyClients: TransferMeasurement = {
  name: "many-clients",
  title: "many clients at once",
  async run(context: TransferContext): Promise<TransferOutcome> {
    const { programs, rounds, note, sizes } = context;
    const { clients } = sizes;
    const bytes = clients * PART_BYTES;
    using workspace = Workspace.create(PART_BYTES + bytes);
    makeFile(join(workspace.served, PART), PART_BYTES);
    makeFile(join(workspace.served, WHOLE), bytes);
    // One more, since the seat of the single client may not be free yet.
    const options = { workspace, programs, writable: false, clients: 2 * clients + 1 };
    await using fleet = await Fleet.open("discard", options, [commserver, nginx]);
    const contestants = fleet.members.flatMap((member): Contestant<Crowd>[] =>
      "absent" in member ? [] : [{ name: member.peer.name, run: () => runCrowd(member.open, clients, workspace.home) }],
    );
    const results = await inTurns(contestants, { rounds, warmUp: true, note });
    const sessions = await runSessions(context, workspace);
    const rows = (figure: (crowd: Crowd) => number) => fleet.members.map((member) => rowOf(member, results, figure));
    return {
      data: `${clients} clients that fetch ${formatBytes(PART_BYTES)} each and throw it away, ${placeOf(workspace)}`,
      rounds,
      comparisons: [
        { what: "rate of all together", unit: "GB/s", better: "higher", rows: rows(({ rate }) => rate) },
        { what: "as part of one client's rate", unit: "%", better: "higher", rows: rows(({ share }) => share * 100) },
        { what: "fastest client", unit: "s", better: "lower", rows: rows(({ fastest }) => fastest) },
        { what: "slowest client", unit: "s", better: "lower", rows: rows(({ slowest }) => slowest) },
        {
          what: "slowest to fastest",
          unit: "times",
          better: "lower",
          rows: rows(({ slowest, fastest }) => slowest / fastest),
        },
      ],
      notes: ["starting the clients is part of the time, and of the machine's work", ...sessions],
    };
  },
};

/** The same with all clients in one running program, which measures only the server and the link. */
async function runSessions(context: TransferContext, workspace: Workspace): Promise<string[]> {
  const { programs, rounds, sizes } = context;
  const { clients } = sizes;
  await using server = await openCommserver({ workspace, programs, writable: false, clients: 2 * clients + 1 });
  await using probe = await Probe.start("download-probe", context, { args: [server.port] });
  const alone: number[] = [];
  const share: number[] = [];
  const spread: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const one = await probe.ask<Ends>({ clients: 1, path: WHOLE });
    const all = await probe.ask<Ends>({ clients, path: PART });
    if (round === 0) continue;
    alone.push((clients * PART_BYTES) / 1e9 / one.slowest);
    share.push((100 * one.slowest) / all.slowest);
    spread.push(all.slowest / all.fastest);
  }
  return [
    `in one program that runs already, one client gets ${median(alone).toFixed(2)} GB/s, and ${clients} together ` +
      `${median(share).toFixed(0)} % of that (${Math.min(...share).toFixed(0)} – ${Math.max(...share).toFixed(0)} %); ` +
      `slowest to fastest ${median(spread).toFixed(2)}`,
  ];
}

interface Ends {
  readonly fastest: number;
  readonly slowest: number;
}

async function runCrowd({ operations, pid }: OpenPeer, clients: number, home: string): Promise<Crowd> {
  const { discard } = operations;
  if (discard === undefined) throw new Error("it can't throw away what it fetches");
  const alone = await runClient(discard(WHOLE), { home, server: pid });
  const startedAt = performance.now();
  // Wait for all of them: none may run into the next one's turn.
  const outcomes = await Promise.allSettled(
    Array.from({ length: clients }, async () => {
      await runClient(discard(PART), { home });
      return (performance.now() - startedAt) / 1000;
    }),
  );
  const ends = outcomes.map((outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  });
  const slowest = Math.max(...ends);
  const gigabytes = (clients * PART_BYTES) / 1e9;
  return {
    fastest: Math.min(...ends),
    slowest,
    rate: gigabytes / slowest,
    share: alone.seconds / slowest,
  };
}

function rowOf(
  member: Member,
  results: ReadonlyMap<string, Crowd[] | { absent: string }>,
  figure: (crowd: Crowd) => number,
): Row {
  const result = runsOf(member, results);
  return { ...peerOf(member), ...("absent" in result ? result : { samples: result.runs.map(figure) }) };
}
