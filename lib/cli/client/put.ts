import type { Connection } from "../../client/connection.ts";
import type { UploadItem } from "../../client/transfer.ts";
import { Upload } from "../../client/upload.ts";
import type { Flags } from "../flags.ts";
import type { Command } from "../program.ts";
import { CONNECTION_FLAGS, RECONNECT_FLAGS, withConnection } from "./connection.ts";
import { typedFolder } from "./fetch-plan.ts";
import { prefetch } from "./prefetch.ts";
import { type TransferRequest, TransferRun } from "./run-transfer.ts";
import { planSend } from "./send-plan.ts";
import { existsPolicy, TRANSFER_FLAGS } from "./transfer-flags.ts";
import { type TransferTerms, TransferView } from "./transfer-view.ts";

export const put: Command = {
  description: "Send files and folders to the server, verified and stored for good",
  args: {
    path: { type: "positional", valueHint: "…", description: "Files, folders or patterns of this machine" },
    to: { type: "string", valueHint: "DIR", description: "The folder of the repository; default: its root" },
    ...TRANSFER_FLAGS,
    ...RECONNECT_FLAGS,
    ...CONNECTION_FLAGS,
  },
  run(flags, io) {
    const request = sendRequest(flags);
    return withConnection(flags, io, (connection, signal) => sendAll(connection, request, { io, signal }));
  },
};

/** What the flags ask for. @throws UsageError, StorageError BAD_PATH */
export function sendRequest(flags: Flags): SendRequest {
  return {
    sources: flags._,
    to: flags["to"] === undefined ? "" : typedFolder(String(flags["to"])),
    exists: existsPolicy(flags),
    digest: flags["digest"] === true,
    json: flags["json"] === true,
  };
}

export interface SendRequest extends TransferRequest {
  /** Folder of the repository; "" is its root. */
  readonly to: string;
}

/**
 * Send, and tell how it goes.
 *
 * @returns the exit code of the first failure
 * @throws as Connection.persist()
 */
export async function sendAll(connection: Connection, request: SendRequest, terms: TransferTerms): Promise<number> {
  const view = new TransferView({
    io: terms.io,
    json: request.json,
    verb: "Sent",
    placeOf: (item, path) => (path === item.from ? "" : path),
  });
  const run = new TransferRun<UploadItem>({
    connection,
    request,
    terms,
    view,
    openLocal: (item) => item.local.open(item.from),
    remotePath: (_, path) => path,
  });
  const plan = planSend({
    sources: request.sources,
    to: request.to,
    onPlanned: (item) => view.plan(item),
    onFailed: (from, error) => view.onFailed({ from, size: 0, kind: "folder" }, error),
  });
  const upload = new Upload(
    prefetch(plan, () => view.planned()),
    run.transferOptions,
  );
  return run.run(upload, () => sendAll(connection, { ...request, exists: "overwrite" }, terms));
}
