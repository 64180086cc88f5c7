import { join } from "node:path";
import type { Client } from "../../client/client.ts";
import type { Connection } from "../../client/connection.ts";
import { Download } from "../../client/download.ts";
import type { TransferItem, TransferOutcome } from "../../client/transfer.ts";
import { CommError, toCommError } from "../../errors.ts";
import { baseName, quote } from "../../path.ts";
import { systemClock } from "../../session/clock.ts";
import { digest64 } from "../../storage/digest64.ts";
import { isMapped } from "../../storage/local-names.ts";
import type { ExistsPolicy } from "../../storage/storage.ts";
import { digestFile } from "../../transfer/digest-file.ts";
import { escapeText } from "../escape.ts";
import type { Flags } from "../flags.ts";
import type { Command } from "../program.ts";
import { Conflicts } from "./conflicts.ts";
import { CONNECTION_FLAGS, RECONNECT_FLAGS, withConnection } from "./connection.ts";
import { planFetch, typedSource } from "./fetch-plan.ts";
import { type LocalTarget, openTarget } from "./local-target.ts";
import { prefetch } from "./prefetch.ts";
import { StdoutStorage } from "./stdout-storage.ts";
import { existsPolicy, TRANSFER_FLAGS } from "./transfer-flags.ts";
import { KEPT, type TransferTerms, TransferView } from "./transfer-view.ts";

export const get: Command = {
  description: "Fetch files, folders and patterns, verified",
  args: {
    path: { type: "positional", valueHint: "…", description: 'Files, folders or patterns ("docs/*.pdf"); . is all' },
    output: {
      type: "string",
      alias: "o",
      valueHint: "DEST",
      description: "A folder, a new name, or - for standard output",
    },
    ...TRANSFER_FLAGS,
    ...RECONNECT_FLAGS,
    ...CONNECTION_FLAGS,
  },
  run(flags, io) {
    const request = fetchRequest(flags);
    return withConnection(flags, io, (connection, signal) => fetchAll(connection, request, { io, signal }));
  },
};

/** What the flags ask for. @throws UsageError, StorageError BAD_PATH */
export function fetchRequest(flags: Flags): FetchRequest {
  return {
    sources: flags._.map(typedSource),
    output: flags["output"] === undefined ? undefined : String(flags["output"]),
    exists: existsPolicy(flags),
    digest: flags["digest"] === true,
    json: flags["json"] === true,
  };
}

export interface FetchRequest {
  readonly sources: readonly string[];
  readonly output: string | undefined;
  readonly exists: ExistsPolicy;
  /** Compare SHA-256 afterwards. */
  readonly digest: boolean;
  readonly json: boolean;
}

/**
 * Fetch, and tell how it goes.
 *
 * @returns the exit code of the first failure
 * @throws as Connection.persist(), openTarget()
 */
export async function fetchAll(connection: Connection, request: FetchRequest, terms: TransferTerms): Promise<number> {
  const options = { ...request, ...terms };
  if (options.output === "-") return fetchToStdout(connection, options);
  const target = await openTarget(options.output, options.sources.length);
  const view = new TransferView({
    io: options.io,
    json: options.json,
    verb: "Fetched",
    placeOf: (item, path) => placeOf(target, item, path),
  });
  const conflicts = new Conflicts(options.exists === "fail" ? options.ask : undefined);
  const checks: { item: TransferItem; outcome: TransferOutcome; path: string }[] = [];
  const onDone = (item: TransferItem, outcome: TransferOutcome, path: string) => {
    if (isMapped(path)) view.note(`${escapeText(item.from)} has another name here: ${escapeText(path)}`);
    if (options.digest && item.kind === "file" && outcome !== "skipped") checks.push({ item, outcome, path });
    else view.onDone(item, outcome, path);
  };
  const planned = new Set<string>();
  const plan = (client: Client) =>
    prefetch(
      planFetch(client, {
        sources: options.sources,
        name: target.name,
        signal: options.signal,
        onPlanned: (item) => {
          // After a lost link the plan is made again.
          if (!planned.has(item.to)) view.plan(item);
          planned.add(item.to);
        },
        onFailed: (from, error) => view.onFailed({ from, size: 0, kind: "folder" }, error),
      }),
      () => view.planned(),
    );
  const download = new Download(plan, {
    local: target.storage,
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
    onDone,
    onFailed: (item, error) => {
      if (!conflicts.collect(item, error)) view.onFailed(item, error);
    },
  });
  try {
    await connection.persist((client) => download.run(client));
    for (const { item, outcome, path } of checks) {
      view.phase(item, "verifying");
      await connection
        .persist((client) => compareDigests(client, target, item, path))
        .then((sha256) => view.onDone(item, outcome, path, sha256))
        .catch((thrown) => view.onFailed(item, toCommError(thrown)));
    }
  } catch (error) {
    if (options.signal.aborted) view.note(KEPT);
    throw error;
  } finally {
    await download.close();
    if (conflicts.count === 0) await view.finish();
  }
  if (conflicts.count === 0) return view.exit;
  view.hideProgress();
  if (await conflicts.isAllowed()) return fetchAll(connection, { ...request, exists: "overwrite" }, terms);
  conflicts.tell(view);
  await view.finish();
  return view.exit;
}

/** @returns the SHA-256 that both ends have @throws CommError DIGEST_MISMATCH */
async function compareDigests(client: Client, target: LocalTarget, item: TransferItem, path: string): Promise<string> {
  const file = await target.storage.open(path);
  try {
    const [theirs, ours] = await Promise.all([
      client.digest(item.from),
      digestFile(file, new Bun.CryptoHasher("sha256")),
    ]);
    if (theirs.sha256 === ours.sha256) return ours.sha256;
    throw new CommError(
      "DIGEST_MISMATCH",
      `${quote(path)} has another SHA-256 than ${quote(item.from)} at the server.`,
    );
  } finally {
    await file.close();
  }
}

/** Bytes go out as they come, one file after the other; only the exit code tells whether they are whole. */
async function fetchToStdout(connection: Connection, options: FetchRequest & TransferTerms): Promise<number> {
  const { io, signal, sources } = options;
  const view = new TransferView({
    io: { ...io, out: async () => {} },
    json: false,
    verb: "Fetched",
    placeOf: () => "",
  });
  const storage = new StdoutStorage(io);
  try {
    for (const source of sources) {
      const plan = (client: Client) =>
        planFetch(client, {
          sources: [source],
          name: undefined,
          signal,
          onPlanned: (item) => view.plan(item),
          onFailed: (from, error) => view.onFailed({ from, size: 0, kind: "folder" }, error),
        });
      const download = new Download(plan, {
        local: storage,
        exists: "fail",
        clock: systemClock,
        digest64,
        signal,
        isSequential: true,
        onStart: (item, present) => view.onStart(item, present),
        onProgress(item, bytes) {
          connection.noteProgress();
          view.onProgress(item, bytes);
        },
        onDone: (item, outcome, path) => view.onDone(item, outcome, path),
        onFailed: (item, error) => view.onFailed(item, error),
      });
      await connection.persist((client) => download.run(client));
    }
  } finally {
    await view.finish();
  }
  return view.exit;
}

/** "" for a file that has its own name in the present folder. */
function placeOf(target: LocalTarget, item: TransferItem, path: string): string {
  const place = target.shown === "" ? path : join(target.shown, path);
  return place === baseName(item.from) || place === item.from ? "" : place;
}
