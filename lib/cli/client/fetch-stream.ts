import type { Connection } from "../../client/connection.ts";
import { fetchJob } from "../../client/fetch-job.ts";
import type { TransferItem } from "../../client/transfer.ts";
import type { TransferJob } from "../../client/transfer-job.ts";
import { addResults, TransferTally } from "../../client/transfer-result.ts";
import { type CommError, toCommError } from "../../errors.ts";
import { quote } from "../../quote.ts";
import { escapeText } from "../escape.ts";
import { isStandardOutput, type OutputStream, openStream } from "./output-stream.ts";
import { jobSettings, type TransferRequest, type TransferTerms, tellFiltered, viewEvents } from "./run-job.ts";
import { StreamStorage } from "./stream-storage.ts";
import { TransferView } from "./transfer-view.ts";

type StreamTerms = Omit<TransferRequest, "exists" | "digest"> & Omit<TransferTerms, "places"> & { output: string };

/**
 * Bytes go out as they come, one file after the other; only the exit code says whether they are complete.
 *
 * @returns the exit code of the first failure
 * @throws as TransferJob.run(), openStream(); CommError OUTPUT_CLOSED, DISK_FAILED
 */
export async function fetchToStream(connection: Connection, options: StreamTerms): Promise<number> {
  const { io, output, signal } = options;
  const isStandard = isStandardOutput(output);
  const view = new TransferView({
    io: isStandard ? { ...io, out: async () => {} } : io,
    json: options.json,
    verb: "Fetched",
    isStrict: options.strict,
    command: "get -",
    placeOf: () => (isStandard ? "" : output),
  });
  const stream = await openStream(output, io, signal);
  const fetching = new StreamFetching(stream, { connection, options, view });
  const failure = await fetching.run().then(() => undefined, toCommError);
  stream.close();
  const { unwritten } = fetching;
  if (unwritten === undefined) {
    if (failure === undefined && options.filter !== undefined) tellFiltered(options.filter, fetching.result, view);
    const exit = await view.finish(fetching.result);
    if (failure !== undefined) throw failure;
    return exit;
  }
  view.hideProgress();
  if (unwritten.code === "OUTPUT_CLOSED" && !isStandard) {
    view.note(`Nobody reads ${escapeText(quote(output))} any more: the rest was not fetched.`);
  }
  throw unwritten;
}

interface Fetching {
  readonly connection: Connection;
  readonly options: StreamTerms;
  readonly view: TransferView;
}

/** Fetches each source into the same stream. */
class StreamFetching {
  readonly #stream: OutputStream;
  readonly #terms: Fetching;
  /** Aborted when the stream can't be written any more, so that nothing more is fetched. */
  readonly #output = new AbortController();
  /** Why the stream can't be written. */
  unwritten: CommError | undefined;
  result = new TransferTally().result;

  constructor(stream: OutputStream, terms: Fetching) {
    this.#stream = stream;
    this.#terms = terms;
  }

  /** @throws as TransferJob.run(); also when the stream can't be written */
  async run(): Promise<void> {
    const { options } = this.#terms;
    const signal = AbortSignal.any([options.signal, this.#output.signal]);
    const local = new StreamStorage(this.#stream);
    for (const source of options.sources) {
      const job = this.#jobFor(source, local, signal);
      try {
        await job.run();
      } catch (thrown) {
        const error = toCommError(thrown);
        if (isUnwritten(error)) this.unwritten ??= error;
        throw thrown;
      } finally {
        this.result = addResults(this.result, job.result);
      }
      if (this.unwritten !== undefined) throw this.unwritten;
    }
  }

  #jobFor(source: string, local: StreamStorage, signal: AbortSignal): TransferJob<TransferItem> {
    const { connection, options, view } = this.#terms;
    const events = viewEvents(view);
    return fetchJob({
      ...jobSettings(connection, { exists: "fail" }, { signal }, view),
      events: {
        ...events,
        // The next source may plan more.
        onPlanComplete: () => {},
        onFailed: (item, error) => {
          if (!isUnwritten(error)) return events.onFailed(item, error);
          this.unwritten ??= error;
          this.#output.abort();
        },
      },
      sources: [source],
      naming: { into: "" },
      filter: options.filter,
      local,
      isSequential: true,
      isWithoutHoles: true,
    });
  }
}

function isUnwritten({ code }: CommError): boolean {
  return code === "OUTPUT_CLOSED" || code === "DISK_FAILED";
}
