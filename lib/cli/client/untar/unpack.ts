import { stat } from "node:fs/promises";
import type { Connection } from "../../../client/connection.ts";
import { uploadJob } from "../../../client/send-job.ts";
import type { UploadItem } from "../../../client/transfer.ts";
import type { TransferJobEvents } from "../../../client/transfer-job.ts";
import { readError } from "../../../storage/disk-error.ts";
import { UsageError } from "../../usage-error.ts";
import { givenPieces } from "../given-items.ts";
import { placeFrom } from "../local-place.ts";
import { BEGINS_AGAIN, jobSettings, runJob, type TransferRequest, type TransferTerms, viewEvents } from "../run-job.ts";
import { TransferView } from "../transfer-view.ts";
import { stampOf } from "./held-member.ts";
import { MemberRoom, type TarFile } from "./member-room.ts";
import { planUntar } from "./untar-plan.ts";

export interface UnpackRequest extends Omit<TransferRequest, "digest" | "keepsFolders"> {
  /** Folder of the repository; "" is its root. */
  readonly to: string;
}

/**
 * Unpack tars into the repository, one after the other, and show the progress. Nobody is asked about files that exist:
 * a tar can't be read again.
 *
 * @returns the exit code of the first failure
 * @throws as TransferJob.run(); StorageError for a file that can't be read; UsageError
 */
export async function unpackAll(connection: Connection, request: UnpackRequest, terms: TransferTerms): Promise<number> {
  let exit = 0;
  for (const source of request.sources) exit = (await unpack(connection, source, request, terms)) || exit;
  return exit;
}

async function unpack(
  connection: Connection,
  source: string,
  { to, filter, exists, strict, json }: UnpackRequest,
  { ask: _, ...terms }: TransferTerms,
): Promise<number> {
  const { io, signal, here } = terms;
  if (source === "-" && io.isShell === true) throw new UsageError("Standard input is what you type: put --untar FILE");
  const place = source === "-" ? source : placeFrom(here, source);
  using room = new MemberRoom(await tarFile(place));
  const view = new TransferView({
    ...{ io, json, verb: "Sent", isStrict: strict, progress: terms.progress },
    placeOf: (item, path) => (path === item.from ? "" : path),
  });
  const job = uploadJob({
    ...jobSettings(connection, { exists }, terms, view),
    events: releasing(room, viewEvents(view)),
    plan: (events) => planUntar({ source, chunks: givenPieces(place, signal), room, to, filter, ...events }),
  });
  // The room must last as long as the job.
  return await runJob(job, view, { ...terms, filter, afterwards: source === "-" ? BEGINS_AGAIN : undefined });
}

/** @returns undefined for what can't be read again @throws StorageError */
async function tarFile(place: string): Promise<TarFile | undefined> {
  if (place === "-") return undefined;
  const stats = await stat(place, { bigint: true }).catch((cause) => {
    throw readError(cause, place, "user");
  });
  return stats.isFile() ? { path: place, stamp: stampOf(stats) } : undefined;
}

/** Members leave the room when nothing more happens to them. */
function releasing(
  room: MemberRoom,
  events: Required<TransferJobEvents<UploadItem>>,
): Required<TransferJobEvents<UploadItem>> {
  return {
    ...events,
    onDone(item, done) {
      room.release(item.local);
      events.onDone(item, done);
    },
    onFailed(item, error) {
      room.release(item.local);
      events.onFailed(item, error);
    },
    onGone(item) {
      room.release(item.local);
      events.onGone(item);
    },
  };
}
