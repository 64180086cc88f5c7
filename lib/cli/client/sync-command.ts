import type { Connection } from "../../client/connection.ts";
import type { Filter } from "../../client/filter.ts";
import { keepMirrored } from "../../client/sync/keep-mirrored.ts";
import { requireWritable } from "../../client/sync/require-writable.ts";
import { SyncJob } from "../../client/sync/sync-job.ts";
import { LocalTarget } from "../../client/sync/sync-target.ts";
import { watchLocal, watchRemote } from "../../client/sync/watch-source.ts";
import { CommError } from "../../errors.ts";
import { quote } from "../../quote.ts";
import { systemClock } from "../../session/clock.ts";
import { privatePlaces } from "../../state/private.ts";
import { digest64 } from "../../storage/digest64.ts";
import { blockTag } from "../../storage/local/block-tag.ts";
import { LocalStorage } from "../../storage/local/local.ts";
import type { Command } from "../command.ts";
import { integerFlag } from "../flag-values.ts";
import type { Flags } from "../flags.ts";
import { UsageError } from "../usage-error.ts";
import { CONNECTION_FLAGS, LINK_FLAGS, readConnectSettings } from "./connect-settings.ts";
import { FILTER_FLAGS, readFilter } from "./filter-flags.ts";
import { placeFrom } from "./local-place.ts";
import { newSha256, runJob, type TransferTerms, viewEvents } from "./run-job.ts";
import { type BackedTarget, localTarget, remoteTarget } from "./sync-backup.ts";
import { openSourceFolder, openTargetFolder, type SyncFolder } from "./sync-folder.ts";
import { type SyncSides, syncSides } from "./sync-sides.ts";
import { WatchedSource } from "./sync-watch.ts";
import { removalLine, type SyncWordsOptions, syncWords } from "./sync-words.ts";
import { WHOLE_FILE_FLAG } from "./transfer-flags.ts";
import { TransferView } from "./transfer-view.ts";
import { withConnection } from "./with-connection.ts";

export const sync: Command = {
  description: "Make a folder the same as another, on this machine and in the repository",
  args: {
    source: {
      type: "positional",

      description: "The folder to mirror; :PATH is in the repository",
    },
    target: { type: "positional", description: "The folder that gets its content" },
    delete: { type: "boolean", description: "Delete what the source does not have" },
    "dry-run": { type: "boolean", alias: "n", description: "Show what would be done, and change nothing" },
    update: { type: "boolean", alias: "u", description: "Leave files alone that are newer at the target" },
    "whole-file": WHOLE_FILE_FLAG,
    checksum: { type: "boolean", alias: "c", description: "Compare contents (SHA-256), not sizes and times" },
    ...FILTER_FLAGS,
    "delete-excluded": { type: "boolean", description: "Also delete what the patterns exclude" },
    "max-delete": { type: "string", valueHint: "N", description: "Delete nothing if it would be more than N" },
    "allow-empty": { type: "boolean", description: "Delete everything if the source has no files" },
    "backup-dir": {
      type: "string",
      valueHint: "DIR",
      description: "Move what is replaced or deleted to this folder, on the side of the target",
    },
    strict: { type: "boolean", description: "Fail with exit code 7 if anything is left out" },
    watch: { type: "boolean", description: "Go on as things change, until Ctrl-C" },
    quiet: { type: "boolean", alias: "q", description: "Show only errors" },
    ...LINK_FLAGS,
    ...CONNECTION_FLAGS,
  },
  typedOnly: ["delete", "delete-excluded", "allow-empty", "dry-run", "watch"],
  completes: { source: "side", target: "side" },
  async run(flags, io) {
    const request = await syncRequest(flags);
    const settings = await readConnectSettings(flags);
    const places = privatePlaces(settings.stateDir, settings.secretFiles);
    return withConnection(settings, io, (connection, signal) => syncAll(connection, request, { io, signal, places }));
  },
};

export interface SyncRequest extends SyncSides {
  readonly filter: Filter | undefined;
  readonly deletes: boolean;
  readonly deletesExcluded: boolean;
  readonly isNewerKept: boolean;
  readonly comparesContent: boolean;
  readonly movesWhole: boolean;
  readonly isDry: boolean;
  readonly maxRemovals: number;
  readonly allowsEmpty: boolean;
  /** As it was typed. */
  readonly backup: string | undefined;
  readonly isStrict: boolean;
  /** Goes on as the source changes. */
  readonly watches: boolean;
  readonly isQuiet: boolean;
  readonly json: boolean;
}

/** The request that the flags make. @throws UsageError, StorageError BAD_PATH; as readFilter() */
export async function syncRequest(flags: Flags): Promise<SyncRequest> {
  if (flags["dry-run"] === true && flags["watch"] === true) {
    throw new UsageError("--dry-run and --watch exclude each other.");
  }
  const deletesExcluded = flags["delete-excluded"] === true;
  const isLimited = flags["max-delete"] !== undefined;
  return {
    ...syncSides(flags),
    filter: await readFilter(flags, Date.now()),
    deletes: flags["delete"] === true || deletesExcluded,
    deletesExcluded,
    isNewerKept: flags["update"] === true,
    comparesContent: flags["checksum"] === true,
    movesWhole: flags["whole-file"] === true,
    isDry: flags["dry-run"] === true,
    maxRemovals: isLimited ? integerFlag(flags, "max-delete", 0, Number.MAX_SAFE_INTEGER) : Number.POSITIVE_INFINITY,
    allowsEmpty: flags["allow-empty"] === true,
    backup: flags["backup-dir"] === undefined ? undefined : String(flags["backup-dir"]),
    isStrict: flags["strict"] === true,
    watches: flags["watch"] === true,
    isQuiet: flags["quiet"] === true,
    json: flags["json"] === true,
  };
}

/**
 * Mirror, and show what is done; with --watch again and again.
 *
 * @returns the exit code of the first failure
 * @throws as SyncJob.run(), requireWritable(), openSourceFolder(), openTargetFolder(), keepMirrored()
 */
export async function syncAll(
  connection: Connection,
  request: SyncRequest,
  terms: Omit<TransferTerms, "ask">,
): Promise<number> {
  const { isSending, there, isDry, watches, filter } = request;
  const { signal, places, here: from } = terms;
  // Judged before any byte moves, and before a folder is made.
  if (isSending) await connection.persist((client) => requireWritable(client, signal));
  else await connection.persist((client) => requireFolder(client, there));
  const here = placeFrom(from, request.here);
  const folder = await (isSending ? openSourceFolder(here, places) : openTargetFolder(here, places, isDry));
  const backed = await targetOf(connection, request, { storage: folder.storage, places, from });
  let watching: SyncWordsOptions["watches"] = watches && "first";
  const once = (changes: Partial<SyncRequest> = {}) =>
    syncOnce(connection, { ...request, ...changes, watching }, { ...terms, ...folder, ...backed });
  if (!watches) return once();
  const source = new WatchedSource({ ...request, connection, io: terms.io, here });
  const isMeant = (path: string) => filter?.excludes(path) !== true;
  return keepMirrored({
    clock: systemClock,
    signal,
    watch: (watcher) =>
      isSending ? watchLocal(folder.storage, isMeant, watcher) : watchRemote(connection, there, isMeant, watcher),
    mirror: () =>
      source.mirror(async () => {
        const exit = await once(source.isBack ? { allowsEmpty: false } : {});
        watching = "again";
        return exit;
      }),
  });
}

interface SyncWatching {
  readonly watching: SyncWordsOptions["watches"];
}

/** @returns the exit code of the first failure @throws as SyncJob.run() */
function syncOnce(
  connection: Connection,
  request: SyncRequest & SyncWatching,
  {
    io,
    signal,
    progress,
    onResult,
    storage,
    takeHidden,
    target,
    apart,
  }: Omit<TransferTerms, "ask"> & SyncFolder & BackedTarget,
): Promise<number> {
  const { isDry, isQuiet, isStrict, watches, watching, json, filter, there, movesWhole } = request;
  const view = new TransferView({
    io: isQuiet ? { ...io, canRedraw: false } : io,
    json,
    command: "sync",
    verb: syncWords({ isDry, isQuiet, watches: watching }),
    isStrict,
    progress: isQuiet ? undefined : progress,
    placeOf: () => "",
  });
  const job = new SyncJob({
    ...request,
    ...{ connection, signal, digest64, takeHidden, target },
    blockTag: movesWhole ? undefined : blockTag,
    clock: systemClock,
    root: there,
    here: storage,
    rules: { ...request, apart, setsAside: request.backup !== undefined },
    sha256: newSha256,
    events: {
      ...viewEvents(view),
      // With --strict it is an error.
      ...(isQuiet && !isStrict && !json && { onLeftOut: () => {} }),
      onPathFailed: (path, error) => view.onFailed({ from: path, size: 0, kind: "folder" }, error),
      onRefused: (error) => view.onRefused(error),
      onRemoved(removal) {
        const { path, kind } = removal;
        view.say(isQuiet ? undefined : removalLine(removal), { event: "deleted", path, kind });
      },
    },
  });
  return runJob(job, view, { signal, onResult, filter: watches ? undefined : filter });
}

async function requireFolder(client: Connection["client"], path: string): Promise<void> {
  if (path === "" || (await client.stat(path)).kind === "folder") return;
  throw new CommError("NOT_A_FILE", `${quote(path)} is not a folder: only folders are mirrored.`);
}

/** @throws as remoteTarget(), localTarget() */
async function targetOf(
  connection: Connection,
  { isSending, there, backup, isDry }: SyncRequest,
  { storage, places, from }: Pick<SyncFolder, "storage"> & Pick<TransferTerms, "places"> & { from: string | undefined },
): Promise<BackedTarget> {
  if (isSending) return remoteTarget(connection, there, backup);
  if (!(storage instanceof LocalStorage)) return { target: new LocalTarget(storage) };
  return localTarget(storage, backup === undefined ? undefined : placeFrom(from, backup), { places, isDry });
}
