import type { Connection } from "../../client/connection.ts";
import { sendJob } from "../../client/send-job.ts";
import { CommError, toCommError } from "../../errors.ts";
import { privatePlaces } from "../../state/private.ts";
import type { Command } from "../command.ts";
import type { Flags } from "../flags.ts";
import { reportError } from "../report.ts";
import { UsageError } from "../usage-error.ts";
import { CONNECTION_FLAGS, LINK_FLAGS, readConnectSettings } from "./connect-settings.ts";
import { readFilter } from "./filter-flags.ts";
import { DiskSources } from "./local-sources.ts";
import { NAMES_FILE_FLAGS, NAMES_FILE_TYPED, readNames } from "./names-file.ts";
import {
  BEGINS_AGAIN,
  jobSettings,
  newSha256,
  runJob,
  type TransferRequest,
  type TransferTerms,
  viewEvents,
} from "./run-job.ts";
import { SpooledInput } from "./spooled-input.ts";
import { requireOneInput } from "./standard-input.ts";
import { asFlag, existsPolicy, TRANSFER_FLAGS } from "./transfer-flags.ts";
import { TransferView } from "./transfer-view.ts";
import { typedFolder } from "./typed-paths.ts";
import { withConnection } from "./with-connection.ts";

export const put: Command = {
  description: "Send files and folders to the server, verified and durably stored",
  args: {
    path: {
      type: "positional",
      valueHint: "…",
      required: false,
      description: "Files, folders or patterns of this machine; - for standard input, with --as",
    },
    to: { type: "string", valueHint: "DIR", description: "The folder of the repository; default: its root" },
    as: { type: "string", valueHint: "NAME", description: "A new name for the one file or folder" },
    untar: { type: "boolean", description: "Unpack tar files; - for one from standard input" },
    ...NAMES_FILE_FLAGS,
    ...TRANSFER_FLAGS,
    ...LINK_FLAGS,
    ...CONNECTION_FLAGS,
  },
  typedOnly: [...NAMES_FILE_TYPED, "untar"],
  completes: { path: "file", to: "remote folder" },
  async run(flags, io) {
    const readsInput = sendsInput(flags);
    const request = await sendRequest(flags);
    const settings = await readConnectSettings(flags);
    const places = privatePlaces(settings.stateDir, settings.secretFiles);
    return withConnection(settings, io, async (connection, signal) => {
      const terms = { io, signal, places };
      if (!readsInput) return sendAll(connection, request, terms);
      const input = await SpooledInput.read(signal).catch(toCommError);
      if (input instanceof CommError) {
        return reportError(input, io, { program: "commserver-client", json: settings.isJson, command: "put -" });
      }
      using _ = input;
      return await sendAll(connection, { ...request, sources: [input.path], isInput: true }, terms);
    });
  },
};

/** Whether standard input is sent. A file of the name "-" is "./-". @throws UsageError when it can't be */
function sendsInput(flags: Flags): boolean {
  if (!flags._.includes("-") || flags["untar"] === true) return false;
  if (flags._.length > 1) throw new UsageError("Standard input (-) can't be sent together with others.");
  if (flags["as"] === undefined) throw new UsageError("Standard input has no name: put - --as NAME");
  return true;
}

/** The request that the flags make. @throws UsageError, StorageError BAD_PATH; as readFilter() */
export async function sendRequest(flags: Flags): Promise<SendRequest> {
  // A script's empty variable, which the system would take for the current folder.
  if (flags._.includes("")) throw new UsageError('"" names nothing to send; for the current folder: put .');
  requireOneInput(flags, flags._.includes("-") ? "what is sent" : undefined);
  const surplus = NOT_OF_TARS.find((name) => flags[name] !== undefined);
  if (flags["untar"] === true && surplus !== undefined)
    throw new UsageError(`--${surplus} can't be used with --untar.`);
  return {
    sources: await readNames(flags),
    keepsFolders: flags["files-from"] !== undefined,
    untar: flags["untar"] === true,
    to: flags["to"] === undefined ? "" : typedFolder(String(flags["to"])),
    as: asFlag(flags),
    filter: await readFilter(flags, Date.now()),
    exists: existsPolicy(flags),
    movesWhole: flags["whole-file"] === true,
    digest: flags["digest"] === true,
    strict: flags["strict"] === true,
    json: flags["json"] === true,
  };
}

/** Flags that say what members of a tar don't have: a name that can be changed, bytes that can be read again. */
const NOT_OF_TARS = ["as", "files-from", "digest"];

export interface SendRequest extends TransferRequest {
  /** The sources are tars, of which the members are sent. */
  readonly untar?: boolean;
  /** Folder of the repository; "" is its root. */
  readonly to: string;
  /** As SendPlanOptions.as. */
  readonly as?: string | undefined;
  /** The source is standard input, which can't be read again. */
  readonly isInput?: boolean;
}

/**
 * Send, and show the progress.
 *
 * @returns the exit code of the first failure
 * @throws as TransferJob.run()
 */
export async function sendAll(connection: Connection, request: SendRequest, terms: TransferTerms): Promise<number> {
  if (request.untar === true) return (await import("./untar/unpack.ts")).unpackAll(connection, request, terms);
  const { sources, to, as, filter, isInput = false } = request;
  const view = new TransferView({
    io: terms.io,
    json: request.json,
    verb: "Sent",
    isStrict: request.strict,
    command: isInput ? "put -" : undefined,
    progress: terms.progress,
    placeOf: (item, path) => (path === item.from ? "" : path),
  });
  const job = sendJob({
    ...jobSettings(connection, request, terms, view),
    events: viewEvents(view),
    sources,
    here: new DiskSources(terms.places, terms.here, request.keepsFolders),
    to,
    as,
    filter,
    verification: request.digest ? { sha256: newSha256 } : undefined,
  });
  return runJob(job, view, { ...terms, filter, afterwards: isInput ? BEGINS_AGAIN : undefined });
}
