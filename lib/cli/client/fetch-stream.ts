import { findNamed } from "../../client/asked.ts";
import type { Connection } from "../../client/connection.ts";
import { fetchJob } from "../../client/fetch-job.ts";
import type { TransferItem } from "../../client/transfer.ts";
import type { TransferJob } from "../../client/transfer-job.ts";
import { addResults, TransferTally } from "../../client/transfer-result.ts";
import { type CommError, toCommError } from "../../errors.ts";
import { quote } from "../../quote.ts";
import { escapeText } from "../escape.ts";
import { UsageError } from "../usage-error.ts";
import { isStandardOutput, type OutputStream, openStream } from "./output-stream.ts";
import { jobSettings, type TransferRequest, type TransferTerms, tellFiltered, viewEvents } from "./run-job.ts";
import { plainOutput, StreamStorage } from "./stream-storage.ts";
import { TarOutput } from "./tar-output.ts";
import { TransferView } from "./transfer-view.ts";

/** Errors that concern one source. */
const ABOUT_SOURCE = ["NOT_FOUND", "BAD_PATH", "NOT_ALLOWED", "UNREADABLE"];

type StreamTerms = Omit<TransferRequest, "exists" | "digest"> & Omit<TransferTerms, "places"> & { output: string };

/**
 * Bytes go out as they come, one file after the other; only the exit code says whether they are complete. A tar has its
 * end only with exit code 0.
 *
 * @returns the exit code of the first failure
 * @throws as TransferJob.run(), openStream(); UsageError for a tar to a terminal; CommError OUTPUT_CLOSED, DISK_FAILED
 */
export async function fetchToStream(connection: Connection, options: StreamTerms): Promise<number> {
  const { io, output, signal } = options;
  const isStandard = isStandardOutput(output);
  const isTar = isStandard && (await folderAmong(connection, options)) !== undefined;
  if (isTar && (io.outIsTty || io.isShell === true)) {
    throw new UsageError(
      "A folder goes to standard output as a tar, which is not for a terminal: get … --output - > FILE",
    );
  }
  const view = new TransferView({
    io: isStandard ? { ...io, out: async () => {} } : io,
    json: options.json,
    verb: "Fetched",
    isStrict: options.strict,
    command: "get -",
    placeOf: () => (isStandard ? "" : output),
  });
  const stream = await openStream(output, io, signal);
  const fetching = new StreamFetching(stream, isTar, { connection, options, view });
  const failure = await fetching.run().then(() => undefined, toCommError);
  const { unwritten, tar } = fetching;
  if (unwritten === undefined) {
    if (failure === undefined && options.filter !== undefined) tellFiltered(options.filter, fetching.result, view);
    const exit = await view.finish(fetching.result);
    const isComplete = failure === undefined && exit === 0;
    await (isComplete ? tar?.end() : tar?.cut().catch(() => {}));
    stream.close();
    if (failure !== undefined) throw failure;
    return exit;
  }
  stream.close();
  view.hideProgress();
  if (unwritten.code === "OUTPUT_CLOSED" && !isStandard) {
    view.note(`Nobody reads ${escapeText(quote(output))} any more: the rest was not fetched.`);
  }
  throw unwritten;
}

/** The first folder among what is named. Names of a list are files. @throws as Connection.persist() */
export async function folderAmong(
  connection: Connection,
  { sources, keepsFolders }: Pick<TransferRequest, "sources" | "keepsFolders">,
): Promise<string | undefined> {
  if (keepsFolders === true) return undefined;
  for (const source of sources) {
    if (source === "") return source;
    const entry = await connection
      .persist((client) => findNamed(client, source))
      .catch((thrown) => {
        // What can't be found is reported when it is fetched.
        if (!ABOUT_SOURCE.includes(toCommError(thrown).code)) throw thrown;
      });
    if (entry?.kind === "folder") return source;
  }
  return undefined;
}

interface Fetching {
  readonly connection: Connection;
  readonly options: StreamTerms;
  readonly view: TransferView;
}

/** Fetches all sources into the same stream. */
class StreamFetching {
  readonly #terms: Fetching;
  readonly #local: StreamStorage;
  /** When the folders that are not written yet were modified. */
  readonly #folderTimes = new Map<string, number>();
  /** Aborted when the stream can't take any more, so that nothing more is fetched. */
  readonly #output = new AbortController();
  readonly tar: TarOutput | undefined;
  /** Why the stream can't be written. */
  unwritten: CommError | undefined;
  result = new TransferTally().result;

  constructor(stream: OutputStream, isTar: boolean, terms: Fetching) {
    this.#terms = terms;
    this.tar = isTar ? new TarOutput(stream, (path) => this.#takeTime(path)) : undefined;
    this.#local = new StreamStorage(this.tar ?? plainOutput(stream));
  }

  /** @throws as TransferJob.run(); also when the stream can't be written */
  async run(): Promise<void> {
    const { options } = this.#terms;
    const signal = AbortSignal.any([options.signal, this.#output.signal]);
    // The names in a tar must differ.
    const runs = this.tar === undefined ? options.sources.map((source) => [source]) : [options.sources];
    for (const sources of runs) {
      const job = this.#jobFor(sources, signal);
      try {
        await job.run();
      } catch (thrown) {
        const error = toCommError(thrown);
        if (isUnwritten(error)) this.unwritten ??= error;
        // The failure of a file has ended it, and was reported.
        if (this.tar?.isWithinFile !== true || !this.#output.signal.aborted) throw thrown;
      } finally {
        this.result = addResults(this.result, job.result);
      }
      if (this.unwritten !== undefined) throw this.unwritten;
    }
  }

  #jobFor(sources: readonly string[], signal: AbortSignal): TransferJob<TransferItem> {
    const { connection, options, view } = this.#terms;
    const events = viewEvents(view);
    return fetchJob({
      ...jobSettings(connection, { exists: "fail" }, { signal }, view),
      events: {
        ...events,
        onPlanned: (item) => {
          if (this.tar !== undefined && item.kind === "folder") this.#folderTimes.set(item.to, item.modifiedAt);
          events.onPlanned(item);
        },
        // The next source may plan more.
        onPlanComplete: () => {},
        onFailed: (item, error) => {
          if (isUnwritten(error)) this.unwritten ??= error;
          else events.onFailed(item, error);
          // Nothing can follow a file that lacks bytes.
          if (isUnwritten(error) || this.tar?.isWithinFile === true) this.#output.abort();
        },
      },
      sources,
      naming: { into: "" },
      filter: options.filter,
      local: this.#local,
      isSequential: true,
      isWithoutHoles: true,
    });
  }

  #takeTime(path: string): number {
    const time = this.#folderTimes.get(path) ?? 0;
    this.#folderTimes.delete(path);
    return time;
  }
}

function isUnwritten({ code }: CommError): boolean {
  return code === "OUTPUT_CLOSED" || code === "DISK_FAILED";
}
