import { join } from "node:path";
import type { Client } from "../../client/client.ts";
import type { Connection } from "../../client/connection.ts";
import { Download } from "../../client/download.ts";
import { PathSet } from "../../client/path-set.ts";
import type { TransferItem } from "../../client/transfer.ts";
import { type CommError, RemoteError, UsageError } from "../../errors.ts";
import { baseName } from "../../path.ts";
import { systemClock } from "../../session/clock.ts";
import { digest64 } from "../../storage/digest64.ts";
import { isMapped } from "../../storage/local-names.ts";
import { escapeText } from "../escape.ts";
import type { Flags } from "../flags.ts";
import { privateOfClient } from "../private.ts";
import type { Command } from "../program.ts";
import { CONNECTION_FLAGS, RECONNECT_FLAGS, withConnection } from "./connection.ts";
import { type FetchPlanOptions, planFetch, typedSource } from "./fetch-plan.ts";
import { gone } from "./left-out.ts";
import { type LocalTarget, openTarget } from "./local-target.ts";
import { prefetch } from "./prefetch.ts";
import { type TransferRequest, TransferRun } from "./run-transfer.ts";
import { StdoutStorage } from "./stdout-storage.ts";
import { asFlag, existsPolicy, TRANSFER_FLAGS } from "./transfer-flags.ts";
import { type TransferTerms, TransferView } from "./transfer-view.ts";

export const get: Command = {
  description: "Fetch files, folders and patterns, verified",
  args: {
    path: { type: "positional", valueHint: "…", description: 'Files, folders or patterns ("docs/*.pdf"); . is all' },
    output: {
      type: "string",
      alias: "o",
      valueHint: "DEST",
      description: "A folder, a file's new name, or - for standard output",
    },
    as: { type: "string", valueHint: "NAME", description: "What the one file or folder shall be called in its folder" },
    ...TRANSFER_FLAGS,
    ...RECONNECT_FLAGS,
    ...CONNECTION_FLAGS,
  },
  run(flags, io) {
    const request = fetchRequest(flags);
    const places = privateOfClient(flags);
    return withConnection(flags, io, (connection, signal) => fetchAll(connection, request, { io, signal, places }));
  },
};

/** Flags that mean nothing where bytes go to standard output as they come. */
const NOT_TO_STDOUT = ["as", "overwrite", "skip-existing", "rename", "digest", "json"];

/** What the flags ask for. @throws UsageError, StorageError BAD_PATH */
export function fetchRequest(flags: Flags): FetchRequest {
  const surplus = NOT_TO_STDOUT.find((name) => flags["output"] === "-" && flags[name] !== undefined);
  if (surplus !== undefined) throw new UsageError(`--${surplus} says nothing of standard output (--output -).`);
  return {
    sources: flags._.map(typedSource),
    output: flags["output"] === undefined ? undefined : String(flags["output"]),
    as: asFlag(flags),
    exists: existsPolicy(flags),
    digest: flags["digest"] === true,
    strict: flags["strict"] === true,
    json: flags["json"] === true,
  };
}

export interface FetchRequest extends TransferRequest {
  readonly output: string | undefined;
  /** As FetchNaming. */
  readonly as?: string | undefined;
}

/**
 * Fetch, and tell how it goes.
 *
 * @returns the exit code of the first failure
 * @throws as Connection.persist(), openTarget()
 */
export async function fetchAll(connection: Connection, request: FetchRequest, terms: TransferTerms): Promise<number> {
  if (request.output === "-") return fetchToStdout(connection, { ...request, ...terms });
  const { sources, as } = request;
  const target = await openTarget(request.output, terms.places);
  const naming = { into: target.into, as, ...(sources.length === 1 && { fileName: target.fileName }) };
  return fetchTo(target, { connection, request, terms }, (client, tell) =>
    planFetch(client, { sources, naming, signal: terms.signal, ...tell }),
  );
}

interface FetchTerms {
  readonly connection: Connection;
  readonly request: FetchRequest;
  readonly terms: TransferTerms;
}

/** What is fetched; asked again after a lost link. */
type Plan = (
  client: Client,
  tell: Pick<FetchPlanOptions, "onPlanned" | "onFailed" | "onLeftOut">,
) => AsyncIterable<readonly TransferItem[]>;

/** @returns the exit code of the first failure @throws as Connection.persist() */
async function fetchTo(target: LocalTarget, options: FetchTerms, plan: Plan): Promise<number> {
  const { connection, request, terms } = options;
  const view = new TransferView({
    io: terms.io,
    json: request.json,
    verb: "Fetched",
    isStrict: request.strict,
    placeOf: (item, path) => placeOf(target, item, path),
  });
  const run = new TransferRun<TransferItem>({
    connection,
    request,
    terms,
    view,
    isSending: false,
    openLocal: (_, path) => target.storage.open(path),
    remotePath: (item) => item.from,
  });
  target.storage.tellLosses((message) => view.note(message));
  const planned = new PathSet(digest64);
  const failed = new PathSet(digest64);
  const tell: Parameters<Plan>[1] = {
    onPlanned: (item) => {
      // After a lost link the plan is made again.
      if (planned.add(item.to)) view.plan(item);
    },
    onFailed: (from, error) => {
      if (failed.add(from)) view.onFailed({ from, size: 0, kind: "folder" }, error);
    },
    onLeftOut: (left) => view.onLeftOut(left),
  };
  const { onDone, onFailed, ...others } = run.transferOptions;
  const download = new Download((client) => prefetch(plan(client, tell), () => view.planned()), {
    ...others,
    local: target.storage,
    onDone(item, outcome, path, size) {
      if (isMapped(path)) view.note(`${escapeText(item.from)} has another name here: ${escapeText(path)}`);
      onDone(item, outcome, path, size);
    },
    onFailed(item, error) {
      // What is replaced here is no matter of the server's.
      if (error instanceof RemoteError) return view.onFailed(item, error);
      onFailed(item, error);
    },
  });
  return run.run(download, async (existing) => {
    const again = { ...options, request: { ...request, exists: "overwrite" as const } };
    // Those that the person was asked about, whatever there is at the server by now.
    const exit = await fetchTo(target, again, async function* (_, { onPlanned }) {
      for (const item of existing) onPlanned(item);
      yield existing;
    });
    return view.exit || exit;
  });
}

/** Bytes go out as they come, one file after the other; only the exit code tells whether they are whole. */
async function fetchToStdout(connection: Connection, options: FetchRequest & TransferTerms): Promise<number> {
  const { io, sources } = options;
  // Where nothing can be written any more, there is nothing to fetch.
  const output = new AbortController();
  let unwritten: CommError | undefined;
  const signal = AbortSignal.any([options.signal, output.signal]);
  const view = new TransferView({
    io: { ...io, out: async () => {} },
    json: false,
    verb: "Fetched",
    isStrict: options.strict,
    placeOf: () => "",
  });
  const storage = new StdoutStorage(io);
  try {
    for (const source of sources) {
      const plan = (client: Client) =>
        planFetch(client, {
          sources: [source],
          naming: { into: "" },
          signal,
          onPlanned: (item) => view.plan(item),
          onFailed: (from, error) => view.onFailed({ from, size: 0, kind: "folder" }, error),
          onLeftOut: (left) => view.onLeftOut(left),
        });
      const download = new Download(plan, {
        local: storage,
        exists: "fail",
        clock: systemClock,
        digest64,
        signal,
        isSequential: true,
        isWithoutHoles: true,
        onStart: (item, present, size) => view.onStart(item, present, size),
        onProgress(item, bytes) {
          connection.noteProgress();
          view.onProgress(item, bytes);
        },
        onDone: (item, outcome, path, size) => view.onDone(item, { outcome, path, size }),
        onFailed(item, error) {
          if (error.code !== "OUTPUT_CLOSED" && error.code !== "DISK_FAILED") return view.onFailed(item, error);
          unwritten ??= error;
          output.abort();
        },
        onGone: (item, error) => view.onLeftOut(gone(item.from, error), item),
      });
      await connection.persist((client) => download.run(client));
    }
  } catch (thrown) {
    throw unwritten ?? thrown;
  } finally {
    if (unwritten === undefined) await view.finish();
    else view.hideProgress();
  }
  if (unwritten !== undefined) throw unwritten;
  return view.exit;
}

/** "" for a file that has its own name in the present folder. */
function placeOf(target: LocalTarget, item: TransferItem, path: string): string {
  const place = target.shown === "" ? path : join(target.shown, path);
  return place === baseName(item.from) || place === item.from ? "" : place;
}
