import type { Client } from "../../client/client.ts";
import type { Connection } from "../../client/connection.ts";
import { Download } from "../../client/download.ts";
import { planFetch } from "../../client/fetch-plan.ts";
import { gone } from "../../client/left-out.ts";
import { type CommError, toCommError } from "../../errors.ts";
import { quote } from "../../quote.ts";
import { systemClock } from "../../session/clock.ts";
import { digest64 } from "../../storage/digest64.ts";
import { escapeText } from "../escape.ts";
import { isStandardOutput, type OutputStream, openStream } from "./output-stream.ts";
import type { TransferRequest } from "./run-transfer.ts";
import { StreamStorage } from "./stream-storage.ts";
import { type TransferTerms, TransferView } from "./transfer-view.ts";
import { withSlash } from "./typed-paths.ts";

type StreamTerms = Omit<TransferRequest, "exists" | "digest"> & Omit<TransferTerms, "places"> & { output: string };

/**
 * Bytes go out as they come, one file after the other; only the exit code tells whether they are whole.
 *
 * @returns the exit code of the first failure
 * @throws as Connection.persist(), openStream(); CommError OUTPUT_CLOSED, DISK_FAILED
 */
export async function fetchToStream(connection: Connection, options: StreamTerms): Promise<number> {
  const { io, output, signal } = options;
  const isStandard = isStandardOutput(output);
  const view = new TransferView({
    io: isStandard ? { ...io, out: async () => {} } : io,
    json: options.json,
    verb: "Fetched",
    isStrict: options.strict,
    placeOf: () => (isStandard ? "" : output),
  });
  const stream = await openStream(output, io, signal);
  let unwritten: CommError | undefined;
  try {
    unwritten = await fetchInto(stream, { connection, options, view });
  } finally {
    stream.close();
    if (unwritten === undefined) await view.finish();
    else view.hideProgress();
  }
  if (unwritten === undefined) return view.exit;
  if (unwritten.code === "OUTPUT_CLOSED" && !isStandard) {
    view.note(`Nobody reads ${escapeText(quote(output))} any more: the rest was not fetched.`);
  }
  throw unwritten;
}

interface IntoTerms {
  readonly connection: Connection;
  readonly options: StreamTerms;
  readonly view: TransferView;
}

/** @returns why it can't be written, undefined when it can @throws as Connection.persist() */
async function fetchInto(
  stream: OutputStream,
  { connection, options, view }: IntoTerms,
): Promise<CommError | undefined> {
  // Where nothing can be written any more, there is nothing to fetch.
  const output = new AbortController();
  let unwritten: CommError | undefined;
  const signal = AbortSignal.any([options.signal, output.signal]);
  const local = new StreamStorage(stream);
  try {
    for (const source of options.sources) {
      const plan = (client: Client) =>
        planFetch(client, {
          sources: [source],
          naming: { into: "" },
          signal,
          onPlanned: (item) => view.plan(item),
          onFailed: (from, error) => view.onFailed({ from, size: 0, kind: "folder" }, withSlash(error, from)),
          onLeftOut: (left) => view.onLeftOut(left),
        });
      const download = new Download(plan, {
        local,
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
          if (!isUnwritten(error)) return view.onFailed(item, error);
          unwritten ??= error;
          output.abort();
        },
        onGone: (item, error) => view.onLeftOut(gone(item.from, error), item),
      });
      await connection.persist((client) => download.run(client));
    }
  } catch (thrown) {
    const error = unwritten ?? toCommError(thrown);
    if (!isUnwritten(error)) throw thrown;
    return error;
  }
  return unwritten;
}

function isUnwritten({ code }: CommError): boolean {
  return code === "OUTPUT_CLOSED" || code === "DISK_FAILED";
}
