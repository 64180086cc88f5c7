import type { Client } from "../../client/client.ts";
import type { Connection } from "../../client/connection.ts";
import { Download } from "../../client/download.ts";
import { type FetchPlanOptions, planFetch } from "../../client/fetch-plan.ts";
import { PathSet } from "../../client/path-set.ts";
import { prefetch } from "../../client/prefetch.ts";
import type { TransferItem } from "../../client/transfer.ts";
import { RemoteError } from "../../errors.ts";
import { baseName } from "../../path.ts";
import { privatePlaces } from "../../state/private.ts";
import { digest64 } from "../../storage/digest64.ts";
import { isMapped } from "../../storage/local/names/local-names.ts";
import type { Command } from "../command.ts";
import { escapeText } from "../escape.ts";
import type { Flags } from "../flags.ts";
import { UsageError } from "../usage-error.ts";
import { CONNECTION_FLAGS, RECONNECT_FLAGS, readConnectSettings } from "./connect-settings.ts";
import { fetchToStream } from "./fetch-stream.ts";
import { type LocalTarget, openTarget, placeIn } from "./local-target.ts";
import { isStandardOutput, isStream } from "./output-stream.ts";
import { type TransferRequest, TransferRun } from "./run-transfer.ts";
import { asFlag, existsPolicy, TRANSFER_FLAGS } from "./transfer-flags.ts";
import { type TransferTerms, TransferView } from "./transfer-view.ts";
import { typedSource, withSlash } from "./typed-paths.ts";
import { withConnection } from "./with-connection.ts";

export const get: Command = {
  description: "Fetch files, folders and patterns, verified",
  args: {
    path: { type: "positional", valueHint: "…", description: 'Files, folders or patterns ("docs/*.pdf"); . is all' },
    output: {
      type: "string",
      alias: "o",
      valueHint: "DEST",
      description: "A folder, a file's new name, - for standard output, a device or a pipe",
    },
    as: { type: "string", valueHint: "NAME", description: "What the one file or folder shall be called in its folder" },
    ...TRANSFER_FLAGS,
    ...RECONNECT_FLAGS,
    ...CONNECTION_FLAGS,
  },
  async run(flags, io) {
    const request = fetchRequest(flags);
    const settings = await readConnectSettings(flags);
    const places = privatePlaces(settings.stateDir, settings.secretFiles);
    return withConnection(settings, io, (connection, signal) => fetchAll(connection, request, { io, signal, places }));
  },
};

/** Flags that mean nothing where bytes are written as they come. */
const NOT_TO_STREAM = ["as", "overwrite", "skip-existing", "rename", "digest"];

/** What the flags ask for. @throws UsageError, StorageError BAD_PATH */
export function fetchRequest(flags: Flags): FetchRequest {
  const output = flags["output"] === undefined ? undefined : String(flags["output"]);
  const surplus = surplusOf(output).find((name) => flags[name] !== undefined);
  if (surplus !== undefined) {
    const what = isStandardOutput(output) ? "standard output" : "a device or a pipe";
    throw new UsageError(`--${surplus} says nothing of ${what} (--output ${output}).`);
  }
  return {
    sources: flags._.map(typedSource),
    output,
    as: asFlag(flags),
    exists: existsPolicy(flags),
    digest: flags["digest"] === true,
    strict: flags["strict"] === true,
    json: flags["json"] === true,
  };
}

function surplusOf(output: string | undefined): readonly string[] {
  if (!isStream(output)) return [];
  // Where the files go, no events can.
  return isStandardOutput(output) ? [...NOT_TO_STREAM, "json"] : NOT_TO_STREAM;
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
  const { sources, output, as } = request;
  if (isStream(output)) return fetchToStream(connection, { ...request, ...terms, output });
  const target = await openTarget(output, terms.places);
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
      if (failed.add(from)) view.onFailed({ from, size: 0, kind: "folder" }, withSlash(error, from));
    },
    onLeftOut: (left) => view.onLeftOut(left),
  };
  const { onDone, onFailed, ...others } = run.transferOptions;
  const download = new Download((client) => prefetch(plan(client, tell), () => view.planned()), {
    ...others,
    local: target.storage,
    onDone(item, outcome, path, size) {
      if (isMapped(path)) {
        view.note(`${escapeText(item.from)} has another name here: ${escapeText(placeIn(target, path))}`);
      }
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

/** "" for a file that has its own name in the present folder. */
function placeOf(target: LocalTarget, item: TransferItem, path: string): string {
  const place = placeIn(target, path);
  return place === baseName(item.from) || place === item.from ? "" : place;
}
