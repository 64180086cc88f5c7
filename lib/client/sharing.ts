import { Nothing, OfferShareResult, OpenShareResult, ShareOutcome } from "../protocol/methods.ts";
import { decodeRecords } from "../protocol/records.ts";
import type { Client } from "./client.ts";

/** The calls about a share. Every call throws CommError as Client's do. */

/** Begin a share; a session with its token puts the files. */
export function openShare(client: Client, lifeMs: number): Promise<OpenShareResult> {
  return client.call("openShare", { lifeMs }, OpenShareResult);
}

/** All files are there: get the code for one client. */
export function offerShare(client: Client): Promise<OfferShareResult> {
  return client.call("offerShare", {}, OfferShareResult);
}

/** Wait until the share is over; undefined: the server stops. */
export async function awaitShare(client: Client): Promise<ShareOutcome | undefined> {
  const stream = client.openStream("awaitShare", {}, { isFeed: true });
  await stream.accepted;
  for await (const outcome of decodeRecords(ShareOutcome, stream.body())) return outcome;
  return undefined;
}

/** Everything has been fetched; or, for the session that shares, nobody is to fetch it any more. */
export async function endShare(client: Client): Promise<void> {
  await client.call("endShare", {}, Nothing);
}
