import type { Connection } from "../../client/connection.ts";
import type { Filter } from "../../client/filter.ts";
import type { TransferItem } from "../../client/transfer.ts";
import type { TransferJob, TransferJobEvents, TransferJobSettings } from "../../client/transfer-job.ts";
import type { TransferResult } from "../../client/transfer-result.ts";
import { CommError, ERRORS, toCommError } from "../../errors.ts";
import { systemClock } from "../../session/clock.ts";
import { digest64 } from "../../storage/digest64.ts";
import { blockTag } from "../../storage/local/block-tag.ts";
import type { PrivatePlaces } from "../../storage/local/private/private-places.ts";
import type { ExistsPolicy } from "../../storage/storage.ts";
import type { Sha256 } from "../../transfer/digest-file.ts";
import type { ConsoleIo } from "../console-io.ts";
import { conflictQuestion } from "./conflict-question.ts";
import type { Progress } from "./progress.ts";
import type { TransferView } from "./transfer-view.ts";
import { withSlash } from "./typed-paths.ts";

/** How a transfer that ended early goes on. */
export const RESUMES = "What has arrived is kept: the same command resumes it.";
/** The same for one whose source can't be read again. */
export const BEGINS_AGAIN = "Standard input can't be read again: run the command again with all of it.";

/** The user has interrupted a transfer, and the view has said so. */
export class InterruptedTransfer extends CommError {
  constructor(cause: unknown) {
    super("INTERRUPTED", "Interrupted.", { cause });
  }
}

/** What `get` and `put` requests share. */
export interface TransferRequest {
  readonly sources: readonly string[];
  readonly exists: ExistsPolicy;
  /** Files that are replaced move whole. */
  readonly movesWhole?: boolean;
  /** What moves of the sources; absent: all. */
  readonly filter?: Filter | undefined;
  /** Compare the SHA-256 of both ends afterwards. */
  readonly digest: boolean;
  /** The targets have the folders above the sources, too, as names from a file have them. */
  readonly keepsFolders?: boolean;
  /** Anything left out makes the transfer incomplete. */
  readonly strict: boolean;
  readonly json: boolean;
}

/** The terms under which a transfer runs for its user. */
export interface TransferTerms {
  readonly io: ConsoleIo;
  readonly signal: AbortSignal;
  /** Places that are neither sent nor written to. */
  readonly places: PrivatePlaces;
  /** Ask a yes/no question; absent where nobody can answer. */
  ask?(question: string): Promise<boolean>;
  /** The folder of this machine in which relative names begin; absent: that of the program. */
  readonly here?: string | undefined;
  /** As TransferViewOptions. */
  readonly progress?: Progress | undefined;
  /** Called with the counts at the end, also before run() throws. */
  readonly onResult?: ((result: TransferResult) => void) | undefined;
}

/** The settings of every job that a command runs. */
export function jobSettings(
  connection: Connection,
  { exists, movesWhole = false }: Pick<TransferRequest, "exists" | "movesWhole">,
  { signal, ask }: Pick<TransferTerms, "signal" | "ask">,
  view: TransferView,
): Omit<TransferJobSettings<TransferItem>, "events"> {
  return {
    connection,
    exists,
    signal,
    clock: systemClock,
    digest64,
    ...(!movesWhole && { blockTag }),
    ...(ask && {
      async onConflict(conflicts) {
        const mayReplace = await view.pause(() => ask(conflictQuestion(conflicts)));
        return mayReplace ? conflicts.map(() => "overwrite") : undefined;
      },
    }),
  };
}

export function newSha256(): Sha256 {
  return new Bun.CryptoHasher("sha256");
}

/** The view as the subscriber of a job. */
export function viewEvents(view: TransferView): Required<TransferJobEvents<TransferItem>> {
  return {
    onPlanned: (item) => view.plan(item),
    onPlanComplete: () => view.planned(),
    onStart: (item, present, size) => view.onStart(item, present, size),
    onProgress: (item, bytes) => view.onProgress(item, bytes),
    onRestart: (item) => view.onRestart(item),
    onVerifying: (item) => view.phase(item, "verifying"),
    onDone: (item, done) => view.onDone(item, done),
    onFailed: (item, error) => view.onFailed(item, error),
    onSourceFailed: (from, error) => view.onFailed({ from, size: 0, kind: "folder" }, withSlash(error, from)),
    onLeftOut: (left) => view.onLeftOut(left),
    onGone: (item) => view.onGone(item),
  };
}

/** Tell what the filter did not do, or that it left nothing. */
export function tellFiltered(filter: Filter, result: TransferResult, view: TransferView): void {
  for (const pattern of filter.unmatched) view.onUnmatched(pattern);
  const { stored, unchanged, skipped, failed } = result;
  if (stored + unchanged + skipped + failed === 0) view.note("No file passes the filters.");
}

/**
 * Run a job, and show how it ends; with `afterwards` what a person can do when it ended early.
 *
 * @returns the exit code of the first failure
 * @throws InterruptedTransfer when `signal` aborts; else as TransferJob.run()
 */
export async function runJob(
  job: Pick<TransferJob<TransferItem>, "run" | "result">,
  view: TransferView,
  {
    signal,
    filter,
    onResult,
    afterwards = RESUMES,
  }: Pick<TransferTerms, "signal" | "onResult"> & { filter?: Filter | undefined; afterwards?: string | undefined },
): Promise<number> {
  try {
    const result = await job.run();
    onResult?.(result);
    if (filter !== undefined) tellFiltered(filter, result, view);
    return await view.finish(result);
  } catch (error) {
    onResult?.(job.result);
    if (signal.aborted) view.note(`Interrupted. ${afterwards}`);
    else if (ERRORS[toCommError(error).code].unreachable) view.note(`The transfer ends here. ${afterwards}`);
    await view.finish(job.result);
    throw signal.aborted ? new InterruptedTransfer(error) : error;
  }
}
