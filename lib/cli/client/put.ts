import type { Client } from "../../client/client.ts";
import type { Connection } from "../../client/connection.ts";
import type { TransferOutcome, UploadItem } from "../../client/transfer.ts";
import { Upload } from "../../client/upload.ts";
import { CommError, toCommError } from "../../errors.ts";
import { quote } from "../../path.ts";
import { systemClock } from "../../session/clock.ts";
import { digest64 } from "../../storage/digest64.ts";
import type { ExistsPolicy } from "../../storage/storage.ts";
import { digestFile } from "../../transfer/digest-file.ts";
import type { Flags } from "../flags.ts";
import type { Command } from "../program.ts";
import { Conflicts } from "./conflicts.ts";
import { CONNECTION_FLAGS, RECONNECT_FLAGS, withConnection } from "./connection.ts";
import { typedFolder } from "./fetch-plan.ts";
import { prefetch } from "./prefetch.ts";
import { planSend } from "./send-plan.ts";
import { existsPolicy, TRANSFER_FLAGS } from "./transfer-flags.ts";
import { KEPT, type TransferTerms, TransferView } from "./transfer-view.ts";

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

export interface SendRequest {
  readonly sources: readonly string[];
  readonly to: string;
  readonly exists: ExistsPolicy;
  /** Compare SHA-256 afterwards. */
  readonly digest: boolean;
  readonly json: boolean;
}

/**
 * Send, and tell how it goes.
 *
 * @returns the exit code of the first failure
 * @throws as Connection.persist()
 */
export async function sendAll(connection: Connection, request: SendRequest, terms: TransferTerms): Promise<number> {
  const options = { ...request, ...terms };
  const conflicts = new Conflicts(options.exists === "fail" ? options.ask : undefined);
  const view = new TransferView({
    io: options.io,
    json: options.json,
    verb: "Sent",
    placeOf: (item, path) => (path === item.from ? "" : path),
  });
  const checks: { item: UploadItem; outcome: TransferOutcome; path: string }[] = [];
  const plan = planSend({
    sources: options.sources,
    to: options.to,
    onPlanned: (item) => view.plan(item),
    onFailed: (from, error) => view.onFailed({ from, size: 0, kind: "folder" }, error),
  });
  const upload = new Upload(
    prefetch(plan, () => view.planned()),
    {
      exists: options.exists,
      clock: systemClock,
      digest64,
      signal: options.signal,
      onStart: (item, present) => view.onStart(item, present),
      onProgress(item, bytes) {
        connection.noteProgress();
        view.onProgress(item, bytes);
      },
      onRestart: (item) => view.onRestart(item),
      onFailed: (item, error) => {
        if (!conflicts.collect(item, error)) view.onFailed(item, error);
      },
      onDone(item, outcome, path) {
        if (options.digest && item.kind === "file" && outcome !== "skipped") checks.push({ item, outcome, path });
        else view.onDone(item, outcome, path);
      },
    },
  );
  try {
    await connection.persist((client) => upload.run(client));
    for (const { item, outcome, path } of checks) {
      view.phase(item, "verifying");
      await connection
        .persist((client) => compareDigests(client, item, path))
        .then((sha256) => view.onDone(item, outcome, path, sha256))
        .catch((thrown) => view.onFailed(item, toCommError(thrown)));
    }
  } catch (error) {
    if (options.signal.aborted) view.note(KEPT);
    throw error;
  } finally {
    await upload.close();
    if (conflicts.count === 0) await view.finish();
  }
  if (conflicts.count === 0) return view.exit;
  view.hideProgress();
  if (await conflicts.isAllowed()) return sendAll(connection, { ...request, exists: "overwrite" }, terms);
  conflicts.tell(view);
  await view.finish();
  return view.exit;
}

/** @returns the SHA-256 that both ends have @throws CommError DIGEST_MISMATCH */
async function compareDigests(client: Client, item: UploadItem, path: string): Promise<string> {
  const file = await item.local.open(item.from);
  try {
    const [theirs, ours] = await Promise.all([client.digest(path), digestFile(file, new Bun.CryptoHasher("sha256"))]);
    if (theirs.sha256 === ours.sha256) return ours.sha256;
    throw new CommError(
      "DIGEST_MISMATCH",
      `${quote(item.from)} has another SHA-256 than ${quote(path)} at the server.`,
    );
  } finally {
    await file.close();
  }
}
