import type { JobRequest, RunTerms } from "../../app/job.ts";
import type { Connection } from "../../client/connection.ts";
import { fetchJob } from "../../client/fetch-job.ts";
import { sendJob } from "../../client/send-job.ts";
import type { TransferItem } from "../../client/transfer.ts";
import type { TransferJob } from "../../client/transfer-job.ts";
import { systemClock } from "../../session/clock.ts";
import { digest64 } from "../../storage/digest64.ts";
import { blockTag } from "../../storage/local/block-tag.ts";
import type { PrivatePlaces } from "../../storage/local/private/private-places.ts";
import { DiskSources } from "../client/local-sources.ts";
import { openTarget } from "../client/local-target.ts";

/**
 * A transfer between the repository and the disk of this machine, as `get` and `put` make them. Nothing of a path is
 * taken for a pattern, as a person has clicked on it.
 *
 * @throws as openTarget()
 */
export async function diskTransfer(
  connection: Connection,
  { from, paths, into }: JobRequest,
  places: PrivatePlaces,
  terms: RunTerms,
): Promise<Pick<TransferJob<TransferItem>, "run">> {
  const common = { ...terms, connection, clock: systemClock, digest64, blockTag };
  if (from === "here") {
    // Each source goes into the folder under its own name.
    return sendJob({ ...common, sources: paths, here: new DiskSources(places), to: into });
  }
  const target = await openTarget(into, places);
  return fetchJob({ ...common, sources: paths, naming: { into: target.into }, local: target.storage });
}
