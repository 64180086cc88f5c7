import { join } from "node:path";
import { TREE } from "../peers/peer.ts";
import { makeTree } from "../support/sample-data.ts";
import { Workspace } from "../support/workspace.ts";
import { type Move, measureMoves, rowsOf } from "./moves.ts";
import {
  formatBytes,
  placeOf,
  type TransferContext,
  type TransferMeasurement,
  type TransferOutcome,
} from "./transfer.ts";

const FOLDERS = 20;
const FILE_BYTES = 4096;

export const treeGet: TransferMeasurement = {
  name: "tree-get",
  title: "fetch many small files",
  run: (context) => moveTree("getTree", context),
};

export const treePut: TransferMeasurement = {
  name: "tree-put",
  title: "send many small files",
  run: (context) => moveTree("putTree", context),
};

async function moveTree(move: Move, context: TransferContext): Promise<TransferOutcome> {
  const { treeFiles: files } = context.sizes;
  using workspace = Workspace.create(2 * files * FILE_BYTES);
  makeTree(join(workspace.served, TREE), { files, folders: FOLDERS, bytes: FILE_BYTES });
  const runs = await measureMoves(context, { workspace, move, what: TREE });
  return {
    data: `${files} files of ${formatBytes(FILE_BYTES)} in ${FOLDERS} folders, ${placeOf(workspace)}`,
    rounds: context.rounds,
    comparisons: [
      {
        what: "files a second",
        unit: "files/s",
        better: "higher",
        rows: rowsOf(runs, ({ seconds }) => files / seconds),
      },
    ],
    notes: [],
  };
}
