import { join } from "node:path";
import { TREE } from "../peers/peer.ts";
import { nginxPlain, type OpenWebServer, oursPlain } from "../peers/web-server.ts";
import { makeTree } from "../support/sample-data.ts";
import { Workspace } from "../support/workspace.ts";
import { rowsOf } from "./moves.ts";
import { placeOf, type TransferMeasurement } from "./transfer.ts";
import { each } from "./web-file.ts";
import { measureWeb, timeOf } from "./web-turns.ts";

const FILE_BYTES = 4 * 1024;
const FOLDERS = 20;

/** Many small files, through the pages of the folders. Not over WebDAV, where rclone waits 10 ms between requests. */
export const webTree: TransferMeasurement = {
  name: "web-tree",
  title: "many small files by rclone",
  async run(context) {
    const { treeFiles: files } = context.sizes;
    using workspace = Workspace.create(2 * files * FILE_BYTES);
    const { target } = workspace;
    const tree = join(workspace.served, TREE);
    makeTree(tree, { files, folders: FOLDERS, bytes: FILE_BYTES });
    const command = (server: OpenWebServer) => ({
      argv: [
        ...["rclone", "--config", "/dev/null", "copy", "--http-url", server.url("")],
        ...[`:http:${TREE}`, join(target, TREE)],
      ],
    });
    const runs = await measureWeb(context, {
      workspace,
      contestants: each([oursPlain, nginxPlain], command),
      clients: ["rclone"],
      arrival: { folder: target, name: TREE, sameAs: tree },
    });
    const milliseconds = (seconds: number | undefined) =>
      seconds === undefined ? undefined : (seconds * 1_000) / files;
    const kind = { unit: "CPU ms/file", better: "lower" } as const;
    return {
      data: `${files} files of 4 KiB in ${FOLDERS} folders, ${placeOf(workspace)}`,
      rounds: context.rounds,
      comparisons: [
        timeOf(runs, [{ of: oursPlain.name, beside: nginxPlain.name, atMost: 1 }]),
        { what: "server's processor time", ...kind, rows: rowsOf(runs, (run) => milliseconds(run.serverCpu)) },
        { what: "client's processor time", ...kind, rows: rowsOf(runs, (run) => milliseconds(run.clientCpu)) },
      ],
      notes: [],
    };
  },
};
