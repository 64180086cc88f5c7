import { join } from "node:path";
import { largeFile } from "./measurements/large-file.ts";
import { manyClients } from "./measurements/many-clients.ts";
import { messagesBesideDownloads } from "./measurements/messages-beside-downloads.ts";
import { millionList } from "./measurements/million-list.ts";
import { getFile, putFile } from "./measurements/move-file.ts";
import { treeGet, treePut } from "./measurements/move-tree.ts";
import { serverCpu } from "./measurements/server-cpu.ts";
import type { Sizes, TransferContext, TransferMeasurement } from "./measurements/transfer.ts";
import { digestTree, syncUnchanged } from "./measurements/unchanged-tree.ts";
import { webGet, webParallel, webRange } from "./measurements/web-file.ts";
import { webIdle, webStalled } from "./measurements/web-memory.ts";
import { webPut, webPutDisk } from "./measurements/web-put.ts";
import { webTar } from "./measurements/web-tar.ts";
import { webTree } from "./measurements/web-tree.ts";
import { PEERS } from "./peers/fleet.ts";
import type { Machine } from "./support/machine.ts";
import { formatTransfer, summarizeAll, type TransferResult } from "./support/transfer-report.ts";
import { writeTransferResults } from "./support/transfer-results.ts";
import { Skipped } from "./support/workspace.ts";

export const TRANSFERS: readonly TransferMeasurement[] = [
  getFile,
  putFile,
  treeGet,
  treePut,
  syncUnchanged,
  digestTree,
  serverCpu,
  largeFile,
  manyClients,
  messagesBesideDownloads,
  millionList,
  webGet,
  webRange,
  webParallel,
  webTar,
  webPut,
  webPutDisk,
  webTree,
  webIdle,
  webStalled,
];

/** The flags that say how much is moved, as parseArgs() takes them. */
export const SIZE_OPTIONS = {
  size: { type: "string", default: "2G" },
  "large-size": { type: "string", default: "16G" },
  files: { type: "string", default: "10000" },
  clients: { type: "string", default: "100" },
  "list-files": { type: "string", default: "1000000" },
} as const;

/** @throws Error when the text is not a size */
export function readSizes(values: Record<keyof typeof SIZE_OPTIONS, string>): Sizes {
  return {
    file: readNumber("size", values.size),
    large: readNumber("large-size", values["large-size"]),
    treeFiles: readNumber("files", values.files),
    clients: readNumber("clients", values.clients),
    listed: readNumber("list-files", values["list-files"]),
  };
}

function readNumber(flag: string, value: string): number {
  const match = /^([1-9]\d*)([KMG]?)$/.exec(value);
  if (match === null) throw new Error(`--${flag} takes a whole number from 1 on, with K, M or G for powers of 1024`);
  return Number(match[1]) * 1024 ** ["", "K", "M", "G"].indexOf(match[2] ?? "");
}

/** Run the measurements, print a table of each when it is done, and keep all. @returns whether all were measured */
export async function runTransfers(
  chosen: readonly TransferMeasurement[],
  context: TransferContext,
  { machine, folder = join(import.meta.dir, "results") }: { machine: Machine; folder?: string | undefined },
): Promise<boolean> {
  const { note } = context;
  if (process.platform !== "linux") {
    note("transfers are measured on Linux only: /proc tells what the processes used");
    return true;
  }
  for (const peer of PEERS) {
    const missing = peer.missing();
    if (missing.length > 0) note(`${peer.name} is skipped: ${missing.join(", ")} not found on this machine`);
  }
  let complete = true;
  const results: TransferResult[] = [];
  for (const { name, title, run } of chosen) {
    note(title);
    try {
      const { data, rounds, comparisons, notes } = await run({ ...context, note: (line) => note(`${name}: ${line}`) });
      const result = { name, title, machine, data, rounds, comparisons: summarizeAll(comparisons), notes };
      const failed = comparisons.some(({ rows }) =>
        rows.some((row) => "absent" in row && row.absent.startsWith("failed")),
      );
      if (failed) complete = false;
      results.push(result);
      process.stdout.write(`\n${formatTransfer(result)}\n`);
    } catch (error) {
      const skipped = error instanceof Skipped;
      note(
        `${name} ${skipped ? "is skipped" : "can't be measured"}: ${error instanceof Error ? error.message : error}`,
      );
      if (!skipped) complete = false;
    }
  }
  if (results.length > 0) {
    writeTransferResults(
      folder,
      results,
      TRANSFERS.map(({ name }) => name),
    );
  }
  return complete;
}
