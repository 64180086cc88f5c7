import { join } from "node:path";
import { FILE } from "../peers/peer.ts";
import { nginxPlain, nginxTls, oursPlain, oursTls } from "../peers/web-server.ts";
import type { Comparison, Row } from "../support/comparison.ts";
import { residentBytes } from "../support/process-tree.ts";
import { makeFile } from "../support/sample-data.ts";
import { median } from "../support/statistics.ts";
import { inOneLine } from "../support/turns.ts";
import { WebConnections } from "../support/web-connections.ts";
import { Workspace } from "../support/workspace.ts";
import { formatBytes, placeOf, type TransferContext, type TransferMeasurement } from "./transfer.ts";
import { OpenServers } from "./web-turns.ts";

const SERVERS = [oursPlain, nginxPlain, oursTls, nginxTls];
const IDLE = 1_000;
const IDLE_MB = 40;
const SMALL_BYTES = 4 * 1024;
const STALLED = 50;
const STALLED_BYTES = 256 * 1024 * 1024;
/** How much memory may vary for other reasons. */
const FLAT_MB = 4;
/** Until the memory of the handshakes and answers is free again. */
const SETTLE_MS = 4_000;
/** Readings, one a second. */
const READINGS = 3;

/** Idle connections that have had an answer. */
export const webIdle: TransferMeasurement = {
  name: "web-idle",
  title: `memory of ${IDLE} idle connections`,
  async run(context) {
    using workspace = Workspace.create(SMALL_BYTES);
    makeFile(join(workspace.served, FILE), SMALL_BYTES);
    const rows = await eachServer(context, workspace, async (pid, url) => {
      const before = await settled(pid);
      using connections = await WebConnections.open(IDLE, url, { reads: true });
      const after = await settled(pid);
      if (connections.ended > 0) throw new Error(`it has ended ${connections.ended} connections`);
      return [after - before];
    });
    const above = comparison("above the server without connections", rows, 0);
    return {
      data: `connections that have fetched ${formatBytes(SMALL_BYTES)} and rest`,
      rounds: 1,
      comparisons: [{ ...above, goals: [oursPlain, oursTls].map(({ name }) => ({ of: name, atMost: IDLE_MB })) }],
      notes: [],
    };
  },
};

/** Connections that request a large file, and read nothing of it. */
export const webStalled: TransferMeasurement = {
  name: "web-stalled",
  title: `memory with ${STALLED} stalled readers`,
  async run(context) {
    using workspace = Workspace.create(STALLED_BYTES);
    makeFile(join(workspace.served, FILE), STALLED_BYTES);
    const rows = await eachServer(context, workspace, async (pid, url) => {
      const before = await settled(pid);
      using connections = await WebConnections.open(STALLED, url, { reads: false });
      const first = await settled(pid);
      const second = await settled(pid);
      if (connections.ended > 0) throw new Error(`it has ended ${connections.ended} connections`);
      return [first - before, second - first];
    });
    const growth = comparison("growth while they stall", rows, 1);
    return {
      data: `readers of a file of ${formatBytes(STALLED_BYTES)} that take nothing, ${placeOf(workspace)}`,
      rounds: 1,
      comparisons: [
        comparison("above the server without connections", rows, 0),
        { ...growth, goals: [oursPlain, oursTls].map(({ name }) => ({ of: name, atMost: FLAT_MB })) },
      ],
      notes: [],
    };
  },
};

type Figures = readonly { readonly row: Pick<Row, "name" | "ours">; readonly figures: number[] | { absent: string } }[];

async function eachServer(
  { programs, note }: TransferContext,
  workspace: Workspace,
  measure: (pid: number, url: URL) => Promise<number[]>,
): Promise<Figures> {
  const all: Figures[number][] = [];
  for (const server of SERVERS) {
    const { name, ours } = server;
    const row = { name, ...(ours && { ours }) };
    note(name);
    await using servers = new OpenServers({ workspace, programs, writable: false });
    const open = await servers.open(server);
    try {
      const figures = "absent" in open ? open : await measure(open.pid, new URL(open.url(FILE)));
      all.push({ row, figures });
    } catch (error) {
      all.push({ row, figures: { absent: `failed: ${inOneLine(error)}` } });
    }
  }
  return all;
}

function comparison(what: string, all: Figures, index: number): Comparison {
  const rows = all.map(({ row, figures }): Row => {
    if (!Array.isArray(figures)) return { ...row, absent: figures.absent };
    return { ...row, samples: [(figures[index] ?? 0) / 1e6] };
  });
  return { what, unit: "MB", better: "lower", rows };
}

/** Resident memory of a server and its workers once it has had time to settle, in bytes. */
async function settled(pid: number): Promise<number> {
  await Bun.sleep(SETTLE_MS);
  const readings: number[] = [];
  while (readings.length < READINGS) {
    readings.push(residentBytes(pid));
    await Bun.sleep(1_000);
  }
  return median(readings);
}
