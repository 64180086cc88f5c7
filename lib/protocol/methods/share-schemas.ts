import * as v from "valibot";
import { address, count, timestamp } from "../shapes.ts";
import { IssueCodeResult } from "./operator-schemas.ts";

/** Methods of shares. Source: PROTOCOL.md, "Shares". */

/** The shortest and longest life of a share, and how long it lives if nothing else is said. In milliseconds. */
export const MIN_SHARE_MS = 60_000;
export const MAX_SHARE_MS = 24 * 3_600_000;
export const SHARE_MS = 3_600_000;

export const OpenShareParams = v.object({
  /** Absent: an hour. */
  lifeMs: v.optional(v.pipe(count, v.minValue(MIN_SHARE_MS), v.maxValue(MAX_SHARE_MS)), SHARE_MS),
});
export const OpenShareResult = v.object({
  /** `NAME:SECRET`, with which a session puts the files. */
  token: v.string(),
  endsAt: timestamp,
});
export type OpenShareResult = v.InferOutput<typeof OpenShareResult>;

export const OfferShareResult = IssueCodeResult;
export type OfferShareResult = v.InferOutput<typeof OfferShareResult>;

/** The record of the body of `awaitShare`. */
export const ShareOutcome = v.object({
  outcome: v.picklist(["fetched", "ended", "expired", "spoilt"]),
  /** With "fetched": where to. */
  address: v.optional(address),
});
export type ShareOutcome = v.InferOutput<typeof ShareOutcome>;
