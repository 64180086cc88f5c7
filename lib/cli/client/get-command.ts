import type { Connection } from "../../client/connection.ts";
import { fetchJob } from "../../client/fetch-job.ts";
import type { TransferItem } from "../../client/transfer.ts";
import { baseName } from "../../path.ts";
import { privatePlaces } from "../../state/private.ts";
import { isMapped } from "../../storage/local/names/local-names.ts";
import type { Command } from "../command.ts";
import { withoutConfigured } from "../configuration/origins.ts";
import { escapeText } from "../escape.ts";
import type { Flags } from "../flags.ts";
import { UsageError } from "../usage-error.ts";
import { CONNECTION_FLAGS, LINK_FLAGS, readConnectSettings } from "./connect-settings.ts";
import { fetchToStream } from "./fetch-stream.ts";
import { readFilter } from "./filter-flags.ts";
import { type LocalTarget, openTarget, placeIn } from "./local-target.ts";
import { NAMES_FILE_FLAGS, NAMES_FILE_TYPED, readNames } from "./names-file.ts";
import { isStandardOutput, isStream } from "./output-stream.ts";
import { jobSettings, newSha256, runJob, type TransferRequest, type TransferTerms, viewEvents } from "./run-job.ts";
import { requireOneInput } from "./standard-input.ts";
import { asFlag, existsPolicy, TRANSFER_FLAGS } from "./transfer-flags.ts";
import { TransferView } from "./transfer-view.ts";
import { typedPath, typedSource } from "./typed-paths.ts";
import { withConnection } from "./with-connection.ts";

export const get: Command = {
  description: "Fetch files, folders and patterns, verified",
  args: {
    path: {
      type: "positional",
      valueHint: "…",
      required: false,
      description: 'Files, folders or patterns ("docs/*.pdf"); . for everything',
    },
    output: {
      type: "string",
      alias: "o",
      valueHint: "DEST",
      description: "A folder, a file's new name, a device or a pipe, - for standard output (a folder as a tar)",
    },
    as: { type: "string", valueHint: "NAME", description: "A new name for the one file or folder" },
    ...NAMES_FILE_FLAGS,
    ...TRANSFER_FLAGS,
    ...LINK_FLAGS,
    ...CONNECTION_FLAGS,
  },
  typedOnly: NAMES_FILE_TYPED,
  completes: { path: "remote", output: "file" },
  async run(flags, io) {
    const request = await fetchRequest(flags);
    const settings = await readConnectSettings(flags);
    const places = privatePlaces(settings.stateDir, settings.secretFiles);
    return withConnection(settings, io, (connection, signal) => fetchAll(connection, request, { io, signal, places }));
  },
};

/** Flags that have no meaning for a stream, which is written as the bytes come. */
const NOT_TO_STREAM = ["as", "overwrite", "whole-file", "skip-existing", "rename", "digest"];

/** The request that the flags make. @throws UsageError, StorageError BAD_PATH; as readFilter() */
export async function fetchRequest(given: Flags): Promise<FetchRequest> {
  const output = given["output"] === undefined ? undefined : String(given["output"]);
  const flags = withoutConfigured(given, surplusOf(output));
  const surplus = surplusOf(output).find((name) => flags[name] !== undefined);
  if (surplus !== undefined) {
    const what = isStandardOutput(output) ? "standard output" : "a device or a pipe";
    throw new UsageError(`--${surplus} can't be used with ${what} (--output ${output}).`);
  }
  requireOneInput(flags);
  return {
    sources: (await readNames(flags)).map(flags["files-from"] === undefined ? typedSource : typedPath),
    keepsFolders: flags["files-from"] !== undefined,
    output,
    as: asFlag(flags),
    filter: await readFilter(flags, Date.now()),
    exists: existsPolicy(flags),
    movesWhole: flags["whole-file"] === true,
    digest: flags["digest"] === true,
    strict: flags["strict"] === true,
    json: flags["json"] === true,
  };
}

function surplusOf(output: string | undefined): readonly string[] {
  if (!isStream(output)) return [];
  // Events would mix with the files' bytes.
  return isStandardOutput(output) ? [...NOT_TO_STREAM, "json"] : NOT_TO_STREAM;
}

export interface FetchRequest extends TransferRequest {
  readonly output: string | undefined;
  /** As FetchNaming. */
  readonly as?: string | undefined;
}

/**
 * Fetch, and show the progress.
 *
 * @returns the exit code of the first failure
 * @throws as TransferJob.run(), openTarget()
 */
export async function fetchAll(connection: Connection, request: FetchRequest, terms: TransferTerms): Promise<number> {
  const { sources, output, as, filter } = request;
  if (isStream(output)) return fetchToStream(connection, { ...request, ...terms, output });
  const target = await openTarget(output, terms.places, terms.here);
  const view = new TransferView({
    io: terms.io,
    json: request.json,
    verb: "Fetched",
    isStrict: request.strict,
    progress: terms.progress,
    placeOf: (item, path) => placeOf(target, item, path),
  });
  const { storage } = target;
  storage.tellLosses((message) => view.note(message));
  const events = viewEvents(view);
  const job = fetchJob({
    ...jobSettings(connection, request, terms, view),
    events: {
      ...events,
      onDone(item, done) {
        if (isMapped(done.path)) {
          view.note(`${escapeText(item.from)} has another name here: ${escapeText(placeIn(target, done.path))}`);
        }
        events.onDone(item, done);
      },
    },
    sources,
    naming: {
      into: target.into,
      as,
      keepsFolders: request.keepsFolders === true,
      ...(sources.length === 1 && { fileName: target.fileName }),
    },
    filter,
    local: storage,
    verification: request.digest ? { sha256: newSha256, open: (path) => storage.open(path) } : undefined,
  });
  return runJob(job, view, { ...terms, filter });
}

/** "" when a file keeps its name in the current folder. */
function placeOf(target: LocalTarget, item: TransferItem, path: string): string {
  const place = placeIn(target, path);
  return place === baseName(item.from) || place === item.from ? "" : place;
}
