import { join } from "node:path";
import { FILE, INBOX } from "../peers/peer.ts";
import { nginxPlain, nginxTls, type OpenWebServer, oursPlain, oursTls } from "../peers/web-server.ts";
import type { Goal } from "../support/comparison.ts";
import { makeFile } from "../support/sample-data.ts";
import { Workspace } from "../support/workspace.ts";
import { formatBytes, placeOf, type TransferContext, type TransferMeasurement } from "./transfer.ts";
import { each } from "./web-file.ts";
import { measureWeb, processorOf, timeOf } from "./web-turns.ts";

// 0.9 of nginx's rate is 1 / 0.9 of its time.
const GOALS: readonly Goal[] = [
  { of: oursPlain.name, beside: nginxPlain.name, atMost: 1.11 },
  { of: oursTls.name, beside: nginxTls.name, atMost: 1.11 },
];

/** A file that is sent to memory-backed storage, which measures the servers themselves. */
export const webPut: TransferMeasurement = {
  name: "web-put",
  title: "a file sent by curl",
  async run(context) {
    using workspace = Workspace.create(2 * context.sizes.file);
    return await send(context, workspace, { bytes: Math.floor(context.sizes.file / 2), goals: GOALS, isSynced: false });
  },
};

/**
 * The same on a disk. Ours is durable when curl ends. nginx leaves that to the system, so its file is synced
 * afterwards.
 */
export const webPutDisk: TransferMeasurement = {
  name: "web-put-disk",
  title: "a file sent by curl, until it is on the disk",
  async run(context) {
    const bytes = Math.floor(context.sizes.file / 4);
    using workspace = Workspace.onDisk(2 * bytes);
    return await send(context, workspace, { bytes, goals: GOALS, isSynced: true });
  },
};

async function send(
  context: TransferContext,
  workspace: Workspace,
  { bytes, goals, isSynced }: { bytes: number; goals: readonly Goal[]; isSynced: boolean },
) {
  const { inbox } = workspace;
  const source = join(workspace.path, FILE);
  makeFile(source, bytes);
  const command = ({ url, credentials }: OpenWebServer) => {
    const user = credentials === undefined ? [] : ["--user", credentials];
    const curl = ["curl", "--silent", "--show-error", "--fail", "--insecure", ...user];
    const argv = [...curl, "--upload-file", source, url(`${INBOX}/${FILE}`)];
    const isDurable = credentials !== undefined;
    return isSynced && !isDurable ? { argv: ["sh", "-c", '"$@" && sync "$0"', join(inbox, FILE), ...argv] } : { argv };
  };
  const runs = await measureWeb(context, {
    workspace,
    contestants: each([oursPlain, nginxPlain, oursTls, nginxTls], command),
    clients: isSynced ? ["curl", "sync"] : ["curl"],
    writable: true,
    arrival: { folder: inbox, name: FILE, sameAs: source },
  });
  const notes = isSynced
    ? ["nginx does not sync what it stores: its time includes `sync FILE` after curl has ended"]
    : [];
  return {
    data: `one file of ${formatBytes(bytes)} random bytes, ${placeOf(workspace)}`,
    rounds: context.rounds,
    comparisons: [timeOf(runs, goals), ...processorOf(runs, bytes, [])],
    notes,
  };
}
